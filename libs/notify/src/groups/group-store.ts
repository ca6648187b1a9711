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

  async putGroup(group: GroupState): Promise<void> {
    await this.#records.put(groupKind, group.id, group);
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

  async putSent(group: string, entries: readonly [fingerprint: string, state: SentState][]): Promise<void> {
    await this.#records.putAll(
      sentKind(group),
      entries.map(([id, value]) => ({ id, value })),
    );
  }

  async delivered(group: string): Promise<Delivered | undefined> {
    return (await this.#records.get(deliveredKind, group)) as Delivered | undefined;
  }

  async putDelivered(group: string, delivered: Delivered): Promise<void> {
    await this.#records.put(deliveredKind, group, delivered);
  }

  /** Forgets an alert of a group; what is known of it goes with the last of its groups. */
  async removeMember(group: string, fingerprint: string): Promise<void> {
    const known = await this.known(fingerprint);
    const groups = known?.groups.filter((id) => id !== group) ?? [];
    await this.#records.delete(sentKind(group), fingerprint);
    await this.#records.delete(membersKind(group), fingerprint);
    if (groups.length === 0) await this.#records.delete(knownKind, fingerprint);
    else await this.putKnown([[fingerprint, { ...known!, groups }]]);
  }

  async removeGroup(id: string, members: readonly Member[]): Promise<void> {
    for (const { alert } of members) await this.removeMember(id, alert.fingerprint);
    await this.#records.delete(deliveredKind, id);
    await this.#records.delete(groupKind, id);
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
