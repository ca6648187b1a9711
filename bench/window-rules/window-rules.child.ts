// Run by bench/window-rules-kafka-streams.ts: rules over many events alone, without the correlator that shares their process.
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { connectLog, createGapReport } from '../../libs/runtime/src/index.ts';
import { createTelemetry } from '../../libs/telemetry/src/index.ts';
import { topics } from '../../libs/schemas/src/index.ts';
import { createMetrics } from '../../services/correlator/src/telemetry.ts';
import { memberEventSchema } from '../../services/correlator/src/member-event-schema.ts';
import { runWindowRules } from '../../services/correlator/src/windows/run-window-rules.ts';

const settings = parseSettings(process.env);
const telemetry = createTelemetry('bench', 'error');
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await using connection = await connectLog(settings, { LogEvent: memberEventSchema }, telemetry, stop.signal);
const { log, serde } = connection;
const deps = {
  log,
  serde,
  metrics: createMetrics(telemetry),
  logger: telemetry.logger,
  gaps: createGapReport(telemetry, [
    { consumer: 'rules-counter', topic: topics.events },
    { consumer: 'rules-evaluator', topic: topics.windows },
  ]),
  nowMs: Date.now,
};
await runWindowRules(deps as unknown as Parameters<typeof runWindowRules>[0], settings, stop.signal);
