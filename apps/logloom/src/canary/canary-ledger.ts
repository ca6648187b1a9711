/** What the canary's events are expected on. */
export const canaryPaths = ['searchable', 'correlated', 'sent'] as const;
export type CanaryPath = (typeof canaryPaths)[number];

/** The events of one round to one receiver: one request, or one connection's lines. */
export interface CanaryBatch {
  receiver: string;
  round: number;
  /** The number of its events. */
  events: number;
  /** ms since 1970. */
  sentAtMs: number;
  /** Whether the receiver's protocol keeps their order. */
  isOrdered: boolean;
}

/** Where an event is: different places of one event are duplicates. */
export interface Place {
  partition: number;
  offset: number;
}

/** Receives what the ledger finds out. */
export interface CanaryFindings {
  /** Events arrived. */
  arrived: (receiver: string, path: CanaryPath, events: number, ageMs: number) => void;
  /** All events of a batch have arrived. */
  complete: (receiver: string, path: CanaryPath, atMs: number) => void;
  lost: (receiver: string, path: CanaryPath, events: number) => void;
  /** Arrived although they were counted as lost. */
  late: (receiver: string, path: CanaryPath, events: number) => void;
  duplicated: (receiver: string, path: CanaryPath, events: number) => void;
  disordered: (receiver: string, path: CanaryPath, events: number) => void;
}

interface PathState {
  /** The places of each event, by its index. */
  places: Map<number, Set<string>>;
  first: Map<number, Place>;
  /** Events that have arrived. */
  arrived: number;
  /** Members of the batch's documents beyond its events. */
  surplus: number;
  lost: number;
}

interface Entry extends CanaryBatch {
  /** Undefined until the receiver has answered. */
  isAccepted: boolean | undefined;
  paths: Record<CanaryPath, PathState>;
}

export interface CanaryLedgerOptions {
  findings: CanaryFindings;
  /** After how long, ms, an event that has not arrived is lost. */
  lostAfterMs: Readonly<Record<CanaryPath, number>>;
}

/** How long a batch is remembered after its last deadline, ms: what arrives until then is late or a duplicate. */
const rememberedMs = 300_000;

/** Compares what the canary has sent with what has arrived. No clock, no I/O. All times are of the same clock, in ms. */
export class CanaryLedger {
  readonly #options: CanaryLedgerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #forgetAfterMs: number;

  constructor(options: CanaryLedgerOptions) {
    this.#options = options;
    this.#forgetAfterMs = Math.max(...Object.values(options.lostAfterMs)) + rememberedMs;
  }

  /** A batch is about to be sent: its events may arrive before the receiver answers. */
  sending(batch: CanaryBatch): void {
    const paths = { searchable: newState(), correlated: newState(), sent: newState() };
    this.#entries.set(keyOf(batch.receiver, batch.round), { ...batch, isAccepted: undefined, paths });
  }

  /** The receiver has acknowledged the batch: from now on its events are expected. */
  accepted({ receiver, round }: Pick<CanaryBatch, 'receiver' | 'round'>): void {
    const entry = this.#entries.get(keyOf(receiver, round));
    if (entry !== undefined) entry.isAccepted = true;
  }

  /** The receiver has not acknowledged the batch: its events may arrive or not. */
  refused({ receiver, round }: Pick<CanaryBatch, 'receiver' | 'round'>): void {
    const entry = this.#entries.get(keyOf(receiver, round));
    if (entry !== undefined) entry.isAccepted = false;
  }

  /** An event was found, or delivered: `isDelivery` if each call is a delivery, so that even the same place twice is a duplicate. */
  arrived(
    path: 'searchable' | 'sent',
    { receiver, round, index }: { receiver: string; round: number; index: number },
    place: Place,
    atMs: number,
  ): void {
    const entry = this.#entries.get(keyOf(receiver, round));
    if (entry === undefined) return;
    const state = entry.paths[path];
    const known = state.places.get(index);
    const text = `${place.partition}-${place.offset}`;
    if (known !== undefined) {
      // A search finds the same event again and again; a viewer gets each once.
      if (known.has(text) && path === 'searchable') return;
      known.add(text);
      this.#options.findings.duplicated(receiver, path, 1);
      return;
    }
    state.places.set(index, new Set([text]));
    state.first.set(index, place);
    if (entry.isOrdered && isBeforeAnEarlierOne(state, path, index, place))
      this.#options.findings.disordered(receiver, path, 1);
    this.#count(entry, path, 1, atMs);
  }

  /** A document of the batch has this many members, at its present revision and together with its other parts. */
  correlated(batch: Pick<CanaryBatch, 'receiver' | 'round'>, members: number, atMs: number): void {
    const entry = this.#entries.get(keyOf(batch.receiver, batch.round));
    if (entry === undefined) return;
    const state = entry.paths.correlated;
    const more = Math.min(members, entry.events) - state.arrived;
    if (more > 0) this.#count(entry, 'correlated', more, atMs);
    const surplus = members - entry.events;
    if (surplus <= state.surplus) return;
    this.#options.findings.duplicated(entry.receiver, 'correlated', surplus - state.surplus);
    state.surplus = surplus;
  }

  /** Counts what has not arrived in time. */
  expire(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      const ageMs = nowMs - entry.sentAtMs;
      if (entry.isAccepted === true)
        for (const path of canaryPaths) {
          const state = entry.paths[path];
          const missing = entry.events - state.arrived - state.lost;
          if (missing <= 0 || ageMs < this.#options.lostAfterMs[path]) continue;
          state.lost += missing;
          this.#options.findings.lost(entry.receiver, path, missing);
        }
      if (ageMs > this.#forgetAfterMs) this.#entries.delete(key);
    }
  }

  /** The process, or its machine, stood still: nothing could arrive, so every deadline moves. */
  stoodStill(forMs: number): void {
    for (const entry of this.#entries.values()) entry.sentAtMs += forMs;
  }

  /** When the oldest batch was sent that is not complete on this path, lost or not; undefined if there is none. */
  oldestMissing(path: CanaryPath): number | undefined {
    let oldest: number | undefined;
    for (const { isAccepted, paths, events, sentAtMs } of this.#entries.values()) {
      if (isAccepted === false || paths[path].arrived >= events) continue;
      if (oldest === undefined || sentAtMs < oldest) oldest = sentAtMs;
    }
    return oldest;
  }

  #count(entry: Entry, path: CanaryPath, events: number, atMs: number): void {
    const { findings } = this.#options;
    const state = entry.paths[path];
    const late = Math.min(events, state.lost);
    state.lost -= late;
    state.arrived += events;
    if (late > 0) findings.late(entry.receiver, path, late);
    if (events > late)
      findings.arrived(entry.receiver, path, events - late, Math.max(0, atMs - entry.sentAtMs));
    if (state.arrived === entry.events) findings.complete(entry.receiver, path, atMs);
  }
}

/** A search shows the order in the log; a viewer shows the order of delivery. */
function isBeforeAnEarlierOne(
  state: PathState,
  path: 'searchable' | 'sent',
  index: number,
  place: Place,
): boolean {
  for (const [other, { partition, offset }] of state.first) {
    if (other === index) continue;
    const isWrong =
      path === 'sent'
        ? other > index
        : partition === place.partition && other > index !== offset > place.offset;
    if (isWrong) return true;
  }
  return false;
}

function newState(): PathState {
  return { places: new Map(), first: new Map(), arrived: 0, surplus: 0, lost: 0 };
}

function keyOf(receiver: string, round: number): string {
  return `${receiver}/${round}`;
}
