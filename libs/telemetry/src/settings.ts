import { choiceSetting, declareSettings } from '@logloom/settings';

/** The settings of Logloom's own log; those of its traces are OpenTelemetry's (tracing-settings.ts). */
export const telemetrySettings = declareSettings(
  { owner: 'libs/telemetry' },
  {
    LOG_LEVEL: choiceSetting(['debug', 'info', 'warn', 'error'], 'info', "level of Logloom's own log"),
  },
);
