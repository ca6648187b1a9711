/**
 * 10,000 viewers and 10 events a second, each to everyone: how old is an event when a viewer has it, and what does a connection hold?
 * Rival, in the same run: the plain broadcast on `ws`. Needs the load client (--tools, see live/peers.ts) and `ulimit -n 20000`.
 * Options: --rounds 2, --viewers 10000, --seconds 10.
 */
import { printConditions } from './conditions.ts';
import { measure, type Result } from './live/measure.ts';
import { option } from './live/option.ts';
import { logloom, Tools } from './live/peers.ts';

const tools = Tools.find();
if (tools !== undefined) {
  const load = { connections: option('viewers', 10_000), rate: 10, seconds: option('seconds', 10) };
  printConditions(
    `${load.connections} viewers x ${load.rate} events/s; server on core 0, load client and publisher on core 1; ours is fed through the follow() callback`,
  );
  const peers = [logloom(), ...tools.rivals('ws')];
  for (let round = 1; round <= option('rounds', 2); round++) {
    const results = new Map<string, Result>();
    for (const peer of round % 2 === 1 ? peers : [...peers].reverse()) {
      const result = await measure(tools, peer, load);
      results.set(peer.name, result);
      console.log(
        `round ${round}, ${result.peer}: p50 ${result.p50Ms.toFixed(0)} ms, p99 ${result.p99Ms.toFixed(0)} ms, ${result.serverCpu.toFixed(2)} of a core, RSS a connection ${result.idleKb.toFixed(1)} KB idle, ${result.loadedKb.toFixed(1)} KB loaded; lost ${result.lost}, failed ${result.failed}, closed ${result.closed}; client ${result.clientCpu.toFixed(2)}, other programs ${result.othersCpu.toFixed(2)} cores`,
      );
    }
    const [ours, ws] = [results.get('logloom')!, results.get('ws')];
    if (ws !== undefined)
      console.log(
        `round ${round}, ws / logloom: p50 ${(ws.p50Ms / ours.p50Ms).toFixed(2)}, p99 ${(ws.p99Ms / ours.p99Ms).toFixed(2)}, CPU ${(ws.serverCpu / ours.serverCpu).toFixed(2)}, RSS idle ${(ws.idleKb / ours.idleKb).toFixed(2)}, loaded ${(ws.loadedKb / ours.loadedKb).toFixed(2)}`,
      );
  }
}
