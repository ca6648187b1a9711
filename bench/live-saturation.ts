/**
 * How many deliveries a second can one process make? The rate of events grows by a fourth every 4 s until the clients are a second
 * behind. Rivals, in the same run: centrifuge's library and NATS, which put the messages that wait for a connection into one frame or
 * write, and the plain broadcast on `ws`. Needs the load client (--tools, see live/peers.ts) and `ulimit -n 20000`.
 * Options: --rounds 1, --viewers 1000, --seconds 40, --start 300 (events a second; `ws` starts at a fourth).
 */
import { printConditions } from './conditions.ts';
import { measure } from './live/measure.ts';
import { option } from './live/option.ts';
import { logloom, Tools } from './live/peers.ts';

const tools = Tools.find();
if (tools !== undefined) {
  const connections = option('viewers', 1000);
  const start = option('start', 300);
  const seconds = option('seconds', 40);
  printConditions(
    `${connections} viewers of everything; server on core 0, load client and publisher on core 1; ours is fed through the follow() callback`,
  );
  const peers = [logloom(), ...tools.rivals('centrifuge', 'nats', 'ws')];
  const show = (perSecond: number): string => `${Math.round(perSecond / 1000).toLocaleString('en')}k/s`;
  for (let round = 1; round <= option('rounds', 1); round++) {
    const peaks = new Map<string, number>();
    for (const peer of round % 2 === 1 ? peers : [...peers].reverse()) {
      const rate = peer.name === 'ws' ? start / 4 : start;
      const result = await measure(tools, peer, { connections, rate, seconds, ramps: true });
      const { lastKept } = result;
      peaks.set(peer.name, result.peakPerSecond);
      console.log(
        `round ${round}, ${peer.name}: best three seconds ${show(result.peakPerSecond)}, last step kept up ${lastKept === undefined ? 'none' : `${show(lastKept.perSecond)} at p99 ${lastKept.p99Ms.toFixed(0)} ms`}; server ${result.serverCpu.toFixed(2)}, client ${result.clientCpu.toFixed(2)}, other programs ${result.othersCpu.toFixed(2)} cores; lost ${result.lost}, closed ${result.closed}`,
      );
    }
    const ours = peaks.get('logloom')!;
    peaks.delete('logloom');
    const ratios = [...peaks].map(([name, peak]) => `${name} ${(ours / peak).toFixed(2)}`);
    if (ratios.length > 0) console.log(`round ${round}, best three seconds, ours to: ${ratios.join(', ')}`);
  }
}
