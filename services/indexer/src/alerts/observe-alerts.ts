import type { IndexerMetrics } from '../telemetry.ts';
import type { AlertBook, AlertChange } from './alert-book.ts';
import { alertStates } from './list-alerts.ts';

type AlertMetrics = Pick<IndexerMetrics, 'alerts' | 'alertChanges' | 'droppedAlerts' | 'alertBookBytes'>;

/** Returns a function that shows the book of its owner in the metrics; without a book it belongs to another process. */
export function observeAlerts(
  metrics: AlertMetrics,
): (book: AlertBook | undefined, changes: readonly AlertChange[]) => void {
  let dropped = 0;
  return (book, changes) => {
    for (const { kind, alert } of changes)
      metrics.alertChanges.inc({ kind, silenced: String(alert.silencedBy.length > 0) });
    const alerts = book?.alerts() ?? [];
    for (const state of alertStates)
      for (const silenced of [true, false])
        metrics.alerts.set(
          { state, silenced: String(silenced) },
          alerts.filter((alert) => alert.state === state && alert.silencedBy.length > 0 === silenced).length,
        );
    metrics.alertBookBytes.set(book?.bytes ?? 0);
    metrics.droppedAlerts.inc(Math.max(0, (book?.dropped ?? 0) - dropped));
    dropped = book?.dropped ?? 0;
  };
}
