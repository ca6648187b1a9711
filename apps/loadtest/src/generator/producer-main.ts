import { everySecond } from './every-second.ts';
import type { FromProducer, Ready, ToProducer } from './messages.ts';
import { Producer } from './producer.ts';

/** The process that sends: does what its parent says, and ends with it. */
let producer: Producer | undefined;

const tell = (message: FromProducer | Ready): void => void process.send!(message);

process.on('message', (message: ToProducer) => {
  if (message.type === 'abort') return producer?.abort();
  if (message.type === 'clock') return producer?.setClock(message.offsetMs);
  producer = new Producer(message);
  everySecond(message.startsAtMs, (second) => tell(producer!.second(second)));
  void producer.run().then(tell);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {
  // The parent ends the run, and this process with it.
});
tell({ type: 'ready' });
