import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AlertState } from '../alert-state.ts';
import { newGroup, type GroupState } from './group-state.ts';
import { groupsOf } from './groups-of.ts';
import { lookAtGroups, type GroupsDeps } from './look-at-groups.ts';

/**
 * Puts alerts into their groups, and looks at these. Can be repeated: a state that is known, or older than it, changes nothing, unless routes lead
 * to other groups than before. An alert stays in the groups that it is in until it is resolved, also when routes change; one that was resolved before any receiver could know it is left out.
 */
export async function takeAlerts(
  deps: GroupsDeps,
  alerts: readonly AlertState[],
  signal: AbortSignal,
): Promise<void> {
  const { store, nowMs } = deps;
  const receivers = deps.receivers();
  if (receivers === undefined) return;
  const newest = new Map<string, AlertState>();
  for (const alert of alerts)
    if (alert.state !== 'pending' && alert.revision > (newest.get(alert.fingerprint)?.revision ?? -Infinity))
      newest.set(alert.fingerprint, alert);
  const looked = new Set<string>();
  const changes = new Map<string, AlertState[]>();
  const groups = new Map<string, GroupState>();
  const known: [string, { revision: number; groups: string[] }][] = [];
  for (const [fingerprint, alert] of newest) {
    const before = await store.known(fingerprint);
    if (before === undefined ? alert.state === 'resolved' : before.revision > alert.revision) continue;
    const ids = new Set<string>();
    for (const id of before?.groups ?? []) {
      const group = groups.get(id) ?? (await store.group(id));
      if (group === undefined) continue;
      groups.set(id, group);
      ids.add(id);
    }
    const isKnown = before?.revision === alert.revision;
    // Whoever took it may have been killed before the look; and routes may be new since then.
    if (isKnown) for (const id of ids) looked.add(id);
    const unchanged = new Set(isKnown ? ids : []);
    if (alert.state === 'firing')
      for (const key of groupsOf(receivers, alert)) {
        const group = groups.get(key.id) ?? (await store.group(key.id)) ?? newGroup(key, nowMs());
        groups.set(key.id, { ...group, timings: key.timings });
        ids.add(key.id);
      }
    if (ids.size === unchanged.size && isKnown) continue;
    for (const id of ids) if (!unchanged.has(id)) changes.set(id, [...(changes.get(id) ?? []), alert]);
    known.push([fingerprint, { revision: alert.revision, groups: [...ids] }]);
  }
  for (const [id, changed] of changes) {
    await nextTurn();
    signal.throwIfAborted();
    await store.putAlerts(id, changed);
  }
  // Before the look, so that a message that is being acknowledged meanwhile knows that there is more to say.
  await store.putGroups([...changes.keys()].map((id) => ({ ...groups.get(id)!, hasChanged: true })));
  if (known.length > 0) await store.putKnown(known);
  await lookAtGroups(deps, [...new Set([...looked, ...changes.keys()])], nowMs(), signal);
}

/** Takes all alerts that fire again, so that new routes have them too. Those that no route led to before are not known here. */
export async function routeAgain(deps: GroupsDeps, signal: AbortSignal): Promise<void> {
  for (const { id } of await deps.store.groups()) {
    await nextTurn();
    const alerts = (await deps.store.members(id)).map(({ alert }) => alert);
    await takeAlerts(
      deps,
      alerts.filter(({ state }) => state === 'firing'),
      signal,
    );
  }
}
