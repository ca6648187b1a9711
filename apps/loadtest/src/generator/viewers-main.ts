import { everySecond } from './every-second.ts';
import type { FromViewers, Ready, ToViewers } from './messages.ts';
import { ViewerCrowd } from './viewer-crowd.ts';

/** A process of viewers: does what its parent says, and ends with it. */
let crowd: ViewerCrowd | undefined;

const tell = (message: FromViewers | Ready): void => void process.send!(message);

process.on('message', (message: ToViewers) => {
  switch (message.type) {
    case 'start': {
      crowd = new ViewerCrowd(message);
      crowd.run();
      everySecond(message.startsAtMs, (second) => tell(crowd!.second(second)));
      break;
    }
    case 'cut':
      crowd!.cut(message.share);
      break;
    case 'hold':
      crowd!.hold(message.sent);
      break;
    case 'tally':
      tell(crowd!.tally());
      break;
    case 'finish':
      process.send!(crowd!.end(message.notStored), () => process.exit(0));
      break;
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {
  // The parent ends the run, and this process with it.
});
tell({ type: 'ready' });
