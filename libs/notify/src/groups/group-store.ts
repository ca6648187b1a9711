import type { JobRecords } from '@logloom/job-queue';
import type { AlertState } from '../alert-state.ts';
import type { GroupState, Member, SentState } from './group-state.ts';

/** Which groups an alert is in, and its newest revision. */
export interface KnownAlert {
  revision: number;
  groups: string[];
}

/** The last message of a group that its receiver has acknowledged. */
export interface Delivered {
  sinceMs: number;
  number: number;
  atMs: number;
}

const groupKind = 'notify-group';
const knownKind = 'notify-alert';
const deliveredKind = 'notify-delivered';
const membersKind = (id: string): string => `notify-group-${id}`;
const sentKind = (id: string): string => `notify-sent-${id}`;

const pageRecords = 1_000;

/**
 * The groups, their alerts, and what receivers were told, in the records beside the job queue. Only the job that changes groups writes here,
 * one at a time over all processes; but what was sent, and delivered, is written by the job that sent it.
 */
export class GroupStore {
  readonly #records: JobRecords;

  constructor(records: JobRecords) {
    this.#records = records;
  }

  async group(id: string): Promise<GroupState | undefined> {
    return (await this.#records.get(groupKind, id)) as GroupState | undefined;
  }

  async groups(): Promise<GroupState[]> {
    return (await this.#records.list(groupKind)).map(({ value }) => value as GroupState);
  }

  async putGroups(groups: readonly GroupState[]): Promise<void> {
    if (groups.length === 0) return;
    await this.#records.putAll(
      groupKind,
      groups.map((value) => ({ id: value.id, value })),
    );
  }

  async known(fingerprint: string): Promise<KnownAlert | undefined> {
    return (await this.#records.get(knownKind, fingerprint)) as KnownAlert | undefined;
  }

  async putKnown(entries: readonly [fingerprint: string, known: KnownAlert][]): Promise<void> {
    await this.#records.putAll(
      knownKind,
      entries.map(([id, value]) => ({ id, value })),
    );
  }

  async putAlerts(group: string, alerts: readonly AlertState[]): Promise<void> {
    await this.#records.putAll(
      membersKind(group),
      alerts.map((value) => ({ id: value.fingerprint, value })),
    );
  }

  async members(group: string): Promise<Member[]> {
    const sent = new Map((await this.#all(sentKind(group))) as [string, SentState][]);
    const alerts = (await this.#all(membersKind(group))) as [string, AlertState][];
    return alerts.map(([fingerprint, alert]) => ({ alert, sent: sent.get(fingerprint) }));
  }

  /** Undefined: it was told nothing of that alert. */
  async putSent(
    group: string,
    entries: readonly [fingerprint: string, state: SentState | undefined][],
  ): Promise<void> {
    const put = entries.flatMap(([id, value]) => (value === undefined ? [] : [{ id, value }]));
    if (put.length > 0) await this.#records.putAll(sentKind(group), put);
    const gone = entries.flatMap(([id, value]) => (value === undefined ? [id] : []));
    if (gone.length > 0) await this.#records.deleteAll(sentKind(group), gone);
  }

  async delivered(group: string): Promise<Delivered | undefined> {
    return (await this.#records.get(deliveredKind, group)) as Delivered | undefined;
  }

  async putDelivered(group: string, delivered: Delivered): Promise<void> {
    await this.#records.put(deliveredKind, group, delivered);
  }

  /** Forgets alerts of groups; what is known of an alert goes with the last of its groups. */
  async removeMembers(removed: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const known = new Map<string, KnownAlert | undefined>();
    for (const [group, fingerprints] of removed) {
      if (fingerprints.length === 0) continue;
      for (const fingerprint of fingerprints) {
        const before = known.get(fingerprint) ?? (await this.known(fingerprint));
        const groups = before?.groups.filter((id) => id !== group) ?? [];
        known.set(fingerprint, before && { ...before, groups });
      }
      await this.#records.deleteAll(sentKind(group), fingerprints);
      await this.#records.deleteAll(membersKind(group), fingerprints);
    }
    const left = [...known].filter(([, now]) => now !== undefined && now.groups.length > 0);
    if (left.length > 0) await this.putKnown(left as [string, KnownAlert][]);
    const gone = [...known].filter(([, now]) => (now?.groups.length ?? 0) === 0);
    if (gone.length > 0)
      await this.#records.deleteAll(
        knownKind,
        gone.map(([fingerprint]) => fingerprint),
      );
  }

  /** Forgets groups whose members are removed. */
  async removeGroups(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#records.deleteAll(deliveredKind, ids);
    await this.#records.deleteAll(groupKind, ids);
  }

  async #all(kind: string): Promise<[string, unknown][]> {
    const entries = new Map<string, unknown>();
    let cursor: string | undefined;
    do {
      const page = await this.#records.page(kind, '', pageRecords, cursor);
      for (const { id, value } of page.entries) entries.set(id, value);
      cursor = page.next;
    } while (cursor !== undefined);
    return [...entries];
  }
}
