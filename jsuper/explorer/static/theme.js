// The colours of text and lines in the figures, light or dark as the page.

function theme(explorer) {
  const style = getComputedStyle(document.documentElement);
  const names = ["--ink", "--faint", "--accent", "--paper", "--empty"];
  const [ink, faint, accent, paper, empty] = names.map((name) => style.getPropertyValue(name).trim());
  explorer.view.dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  for (const key of document.querySelectorAll(".ramp[data-palette]")) {
    const palette = key.dataset.palette === "ramp" ? explorer.view.ramp() : explorer.held.palettes.diverging;
    key.style.backgroundImage = gradient(palette);
  }
  for (const figure of Object.values(explorer.figures)) {
    // Without a colour of their own, borders keep what was drawn there before.
    figure.setv({ outline_line_color: faint, border_fill_color: paper, background_fill_color: paper });
    for (const axis of [...figure.below, ...figure.left]) {
      axis.setv({
        axis_label_text_color: ink,
        major_label_text_color: ink,
        axis_line_color: faint,
        major_tick_line_color: faint,
      });
    }
    for (const renderer of figure.renderers) {
      const inked = ["own_curve", "now", "ring", "arrow_names"];
      const accented = ["median_curve", "band", "shares"];
      if (!inked.concat(accented).includes(renderer.name)) continue;
      const color = inked.includes(renderer.name) ? ink : accent;
      const kind = renderer.name === "arrow_names" ? "text_color" : "line_color";
      if (renderer.name === "band" || renderer.name === "shares") renderer.glyph.fill_color = color;
      else renderer.glyph[kind] = color;
    }
  }
  explorer.map.nothing = empty;
}
