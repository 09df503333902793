/** Three significant digits, and no fraction from 100 on. */
export function round(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString('en-US');
  return figure.toPrecision(3);
}
