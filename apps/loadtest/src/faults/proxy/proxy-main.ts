import { everySecond } from '../../generator/every-second.ts';
import { SelfWatch } from '../../generator/self-watch.ts';
import type { FaultSide } from '../../scenario/fault-plan.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { FromProxy, ToProxy } from './proxy-messages.ts';

/** The process of the proxies: does what its parent says, and ends with it. */
const proxies = new Map<FaultSide, FaultProxy[]>();

const tell = (message: FromProxy): void => void process.send!(message);

process.on('message', (message: ToProxy) => {
  switch (message.type) {
    case 'start':
      void start(message);
      break;
    case 'watch': {
      const self = new SelfWatch();
      everySecond(message.startsAtMs, (second) => tell({ type: 'second', second, ...self.look() }));
      break;
    }
    case 'begin': {
      let connections = 0;
      for (const proxy of proxies.get(message.on)!) connections += proxy.begin(message.id, message.fault);
      tell({ type: 'begun', id: message.id, connections });
      break;
    }
    case 'end':
      for (const proxy of proxies.get(message.on)!) proxy.end(message.id);
      break;
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {
  // The parent ends the run, and this process with it.
});

async function start({ targets }: Extract<ToProxy, { type: 'start' }>): Promise<void> {
  const ports: Partial<Record<FaultSide, number[]>> = {};
  for (const side of Object.keys(targets) as FaultSide[]) {
    const ofSide = targets[side]!.map((target) => new FaultProxy(target));
    proxies.set(side, ofSide);
    ports[side] = await Promise.all(ofSide.map((proxy) => proxy.listen()));
  }
  tell({ type: 'listening', ports });
}
