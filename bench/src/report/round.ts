/** Three digits that mean something, and no fraction of what is in the hundreds. */
export function round(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString('en-US');
  return figure.toPrecision(3);
}
