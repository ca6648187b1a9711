/**
 * Does one process hold 15,000 viewers? They connect, get an event a second, and nothing may be lost. Rival, in the same run: the
 * plain broadcast on `ws`. Needs the load client (--tools, see live/peers.ts) and `ulimit -n 20000`.
 * Options: --viewers 15000, --rate 1, --seconds 20.
 */
import { printConditions } from './conditions.ts';
import { measure } from './live/measure.ts';
import { option } from './live/option.ts';
import { logloom, Tools } from './live/peers.ts';

const tools = Tools.find();
if (tools !== undefined) {
  const connections = option('viewers', 15_000);
  const [rate, seconds] = [option('rate', 1), option('seconds', 20)];
  printConditions(
    `${connections} viewers of everything, ${rate} event/s; server on core 0, client and publisher on core 1`,
  );
  for (const peer of [logloom(), ...tools.rivals('ws')]) {
    const result = await measure(tools, peer, { connections, rate, seconds });
    console.log(
      `${peer.name}: ${result.open} open after ${result.connectSeconds.toFixed(1)} s, ${result.failed} failed, ${result.closed} closed; ${result.events} events, ${result.lost} deliveries lost; p50 ${result.p50Ms.toFixed(0)} ms, p99 ${result.p99Ms.toFixed(0)} ms; RSS a connection ${result.idleKb.toFixed(1)} KB idle, ${result.loadedKb.toFixed(1)} KB loaded; ${result.serverCpu.toFixed(2)} of a core, other programs ${result.othersCpu.toFixed(2)} cores`,
    );
  }
}
