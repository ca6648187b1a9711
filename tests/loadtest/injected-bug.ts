/**
 * Preloaded into a server (`node --import`), so that it does one thing wrong: a load test has to find it. The product knows nothing of it.
 * INJECTED_BUGS names them. Each time is a line of JSON in the file INJECTED_BUG_LOG, so that what a load test found can be compared with
 * what was done.
 */
/* eslint-disable @typescript-eslint/unbound-method -- each original is called with the replacement's `this` */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Subscription } from '../../services/fanout/src/delivery/subscription.ts';
import { DeliveryBatch } from '../../services/fanout/src/encoding/delivery-batch.ts';
import type { LiveItem } from '../../services/fanout/src/stream/stream-kind.ts';
import { WebSocketViewer } from '../../services/fanout/src/transports/web-socket/web-socket-viewer.ts';

export const injectedBugs = ['drop', 'double', 'swap', 'announce-fewer', 'leak', 'slow'] as const;
export type InjectedBug = (typeof injectedBugs)[number];

const bugs = (process.env.INJECTED_BUGS ?? '').split(',').filter(Boolean) as InjectedBug[];
const logFile = process.env.INJECTED_BUG_LOG;
/** Deliveries from one time to the next. */
const every = 10_000;
const leakedBytes = 1_024;
const slowerBy = 0.1;

function note(bug: InjectedBug, what: Record<string, unknown>): void {
  appendFileSync(logFile!, `${JSON.stringify({ bug, ...what })}\n`);
}

/** Changes what some of the deliveries hold. `change` returns undefined where it cannot do its wrong to the batch. */
function spoil(
  bug: InjectedBug,
  change: (items: readonly LiveItem[]) => { items: LiveItem[]; wrong: LiveItem } | undefined,
): void {
  let deliveries = 0;
  // Several bugs take turns.
  let due = (every * (bugs.indexOf(bug) + 1)) / bugs.length;
  const { deliver } = Subscription.prototype;
  Subscription.prototype.deliver = function (batch) {
    deliveries += batch.count;
    const changed = deliveries >= due ? change(batch.items) : undefined;
    if (changed === undefined) return deliver.call(this, batch);
    due += every;
    note(bug, { partition: changed.wrong.partition, offset: changed.wrong.offset });
    deliver.call(this, new DeliveryBatch(batch.stream, batch.channel, batch.cursor, changed.items));
  };
}

const wrongs: Record<InjectedBug, () => void> = {
  drop: () => spoil('drop', ([first, ...rest]) => first && { items: rest, wrong: first }),
  double: () => spoil('double', (items) => items[0] && { items: [...items, items[0]], wrong: items[0] }),
  swap: () =>
    spoil('swap', (items) => {
      // Only within a partition there is an order.
      const at = items.findIndex((item, i) => item.partition === items[i + 1]?.partition);
      if (at < 0) return undefined;
      const [first, second] = [items[at]!, items[at + 1]!];
      return { items: items.toSpliced(at, 2, second, first), wrong: first };
    }),
  'announce-fewer': () => {
    const { tellGap } = Subscription.prototype;
    Subscription.prototype.tellGap = function (from, to, missed, reason) {
      if (reason === 'slow') note('announce-fewer', { from, to });
      tellGap.call(this, from, to, reason === 'slow' ? missed - 1 : missed, reason);
    };
  },
  leak: () => {
    const leaked: number[][] = [];
    const isCounted = Symbol('isCounted');
    const { tell } = WebSocketViewer.prototype;
    WebSocketViewer.prototype.tell = function (this: WebSocketViewer & { [isCounted]?: true }, message) {
      if (this[isCounted] === undefined) {
        this[isCounted] = true;
        leaked.push(new Array<number>(leakedBytes / 8).fill(0.5));
      }
      tell.call(this, message);
    };
  },
  slow: () => {
    // Of all threads together, taken by the one that delivers.
    let burnt = 0;
    setInterval(() => {
      const used = process.cpuUsage();
      const owed = (used.user + used.system - burnt) * slowerBy - burnt;
      const before = process.threadCpuUsage();
      const from = before.user + before.system;
      let taken = 0;
      while (taken < owed) {
        const now = process.threadCpuUsage();
        taken = now.user + now.system - from;
      }
      burnt += taken;
    }, 20).unref();
  },
};

if (isMainThread) for (const bug of bugs) wrongs[bug]();
