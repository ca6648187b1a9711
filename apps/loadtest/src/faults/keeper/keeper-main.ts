import { Keeper } from './keeper.ts';
import type { FromKeeper, ToKeeper } from './keeper-messages.ts';

/** The process that undoes faults: it outlives the run, also one that is killed, for as long as that takes. */
let keeper: Keeper | undefined;

const tell = (message: FromKeeper): void => {
  if (process.connected) process.send!(message, () => {});
};

async function end(): Promise<void> {
  await keeper?.endAll();
  process.exit(0);
}

process.on('message', (message: ToKeeper) => {
  switch (message.type) {
    case 'start':
      keeper = new Keeper(message, tell);
      tell({ type: 'started' });
      break;
    case 'begin':
      void keeper!.begin(message.id, message.fault);
      break;
    case 'end':
      void keeper!.end(message.id);
      break;
    case 'close':
      void keeper!
        .endAll()
        .then(() => process.send!({ type: 'closed' } satisfies FromKeeper, () => process.exit(0)));
      break;
  }
});
process.on('disconnect', () => void end());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // What ends the run must not keep its faults from being undone; the run's end ends this process.
  });
