/** Series, as promtool's tests write them (one value a minute), that make an alert fire at a time, and such that do not. */
export interface AlertCase {
  alert: string;
  severity: 'page' | 'ticket';
  fires: [at: string, series: Record<string, string>];
  doesNotFire: [at: string, series: Record<string, string>];
}
