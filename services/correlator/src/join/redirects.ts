import { LinkedQueue, type QueueNode } from '../session/linked-queue.ts';
import type { JoinLink } from './join-effects.ts';

/** A link in force: where the members of its id go, or that the id joins no more. */
export interface Redirect extends Readonly<JoinLink> {
  /** The offset of its record. */
  readonly offset: number;
  /** The log's clock (ms) at which it ends. */
  readonly untilMs: number;
  /** The sessions that depend on it; a restart reads it again as long as there are any. */
  users: number;
  live: QueueNode<Redirect> | null;
  held: QueueNode<Redirect> | null;
}

/** Where the members of an id go. */
export interface Resolved {
  /** null: they stay. */
  redirect: Redirect | null;
  /** The oldest link that this follows from; null without any. */
  oldest: Redirect | null;
}

/** What a link did. */
export interface Linked extends Resolved {
  /** The id was linked to another request too: both are one request, and one joins the other by this link. */
  shared: JoinLink | null;
}

/** A link, its places in the queues and in the map; without its texts. */
const bytesPerLink = 400;

const stays: Resolved = { redirect: null, oldest: null };

/**
 * The links in force on a partition. A link is in force for a time and no longer, and what is in force follows from the links of that time
 * alone, so that a restart has to read no further back than to the oldest one. Of several links of one id, that to the request which takes
 * the others counts.
 */
export class Redirects {
  readonly #byId = new Map<string, Redirect[]>();
  readonly #live = new LinkedQueue<Redirect>();
  readonly #held = new LinkedQueue<Redirect>();
  /** How many ids join each request now. */
  readonly #joining = new Map<string, number>();
  /** The estimated memory of those in force, and of all that are held, in bytes. */
  #liveBytes = 0;
  bytes = 0;

  get size(): number {
    return this.#live.size;
  }

  /** The offset of the first link that is still needed; null when none is. */
  get lowWaterMark(): number | null {
    return this.#held.first?.value.offset ?? null;
  }

  /** When the next one ends, ms; null if there is none. */
  get nextDeadlineMs(): number | null {
    return this.#live.first?.value.untilMs ?? null;
  }

  resolve(id: string): Resolved {
    const links = this.#byId.get(id);
    if (links === undefined) return stays;
    const block = this.#blockOf(id);
    let redirect: Redirect | null = null;
    let oldest: Redirect = links[0]!;
    for (const link of links) {
      const hides = link.into === '' ? undefined : this.#blockOf(link.into);
      for (const each of [link, hides]) if (each !== undefined && each.offset < oldest.offset) oldest = each;
      if (block === undefined && hides === undefined && (redirect === null || takes(link, redirect)))
        redirect = link;
    }
    return { redirect, oldest };
  }

  /** When the current block of an id ends, ms; null if it isn't blocked. */
  blockedUntilMs(id: string): number | null {
    return this.#blockOf(id)?.untilMs ?? null;
  }

  /** How many ids join a request now. */
  joining(into: string): number {
    return this.#joining.get(into) ?? 0;
  }

  /** Applies a link of the record at `offset`, in force until `untilMs`. Beyond so many bytes, the oldest ones end early. */
  link(link: JoinLink, offset: number, untilMs: number, maxBytes: number): Linked {
    const { redirect: before } = this.resolve(link.id);
    const links = this.#byId.get(link.id) ?? [];
    const same = links.find(({ into }) => into === link.into);
    if (same !== undefined) this.#end(same);
    this.#add({ ...asLink(link), offset, untilMs, users: 0, live: null, held: null });
    while (this.#liveBytes > maxBytes && this.#live.size > 1) this.#end(this.#live.first!.value);
    const after = this.resolve(link.id);
    if (before === null || after.redirect === null || before.into === link.into)
      return { ...after, shared: null };
    const isHidden = this.#blockOf(link.into) !== undefined;
    if (isHidden) return { ...after, shared: null };
    const [taking, taken] = takes(link, before) ? [link, before] : [before, link];
    return { ...after, shared: { ...asLink(taking), id: taken.into } };
  }

  use(redirect: Redirect): Redirect {
    redirect.users++;
    return redirect;
  }

  release(redirect: Redirect): void {
    redirect.users--;
    this.#forgetIfDone(redirect);
  }

  /** Ends those whose time is over. */
  expire(nowMs: number): void {
    for (let first = this.#live.first; first !== null && first.value.untilMs <= nowMs;) {
      this.#end(first.value);
      first = this.#live.first;
    }
  }

  #blockOf(id: string): Redirect | undefined {
    return this.#byId.get(id)?.find(({ into }) => into === '');
  }

  #add(redirect: Redirect): void {
    redirect.live = this.#live.push(redirect);
    redirect.held = this.#held.push(redirect);
    const links = this.#byId.get(redirect.id);
    if (links === undefined) this.#byId.set(redirect.id, [redirect]);
    else links.push(redirect);
    this.#joining.set(redirect.into, this.joining(redirect.into) + 1);
    this.bytes += bytesOf(redirect);
    this.#liveBytes += bytesOf(redirect);
  }

  #end(redirect: Redirect): void {
    const { id, into, live } = redirect;
    if (live === null) return;
    this.#live.remove(live);
    redirect.live = null;
    this.#liveBytes -= bytesOf(redirect);
    const links = this.#byId.get(id)!;
    if (links.length === 1) this.#byId.delete(id);
    else links.splice(links.indexOf(redirect), 1);
    const left = this.joining(into) - 1;
    if (left > 0) this.#joining.set(into, left);
    else this.#joining.delete(into);
    this.#forgetIfDone(redirect);
  }

  #forgetIfDone(redirect: Redirect): void {
    if (redirect.live !== null || redirect.users > 0 || redirect.held === null) return;
    this.#held.remove(redirect.held);
    redirect.held = null;
    this.bytes -= bytesOf(redirect);
  }
}

function asLink({ id, into, kind, rank }: Omit<JoinLink, 'type'>): JoinLink {
  return { type: 'link', id, into, kind, rank };
}

/** Of two requests that share an id, whether the one of `a` takes the other. The same order for all, so that no two take each other. */
function takes(a: Pick<JoinLink, 'into' | 'rank'>, b: Pick<JoinLink, 'into' | 'rank'>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.into < b.into);
}

function bytesOf({ id, into }: Redirect): number {
  return bytesPerLink + 2 * (id.length + into.length);
}
