import { kafkaSecurityProblems, kafkaSecuritySettings } from './kafka/security/settings.ts';
import { customSetting, declareSettings, InvalidValue, numberSetting, textSetting } from '@logloom/settings';

/** The settings of the log. */
export const eventLogSettings = declareSettings(
  { owner: 'libs/event-log' },
  {
    LOGLOOM_DATA: textSetting({ default: './data', description: 'folder of the embedded store' }),
    KAFKA_BROKERS: customSetting({
      bounds: 'host:port, comma-separated',
      read: (text) => {
        const brokers = text.split(',').map((broker) => broker.trim());
        if (!brokers.every((broker) => /^[^\s:]+:\d{1,5}$/.test(broker)))
          throw new InvalidValue('must be host:port, comma-separated');
        return brokers;
      },
      description: 'Kafka bootstrap servers; unset: the embedded log',
    }),
    ...kafkaSecuritySettings,
    LOG_PARTITIONS: numberSetting({
      unit: 'partitions',
      max: 1024,
      default: 4,
      description: 'partitions of each topic; fixed once the topics exist',
    }),
    LOG_RETENTION_MS: numberSetting({
      unit: 'ms',
      min: 60_000,
      description:
        'how long the embedded log keeps records, and retention.ms of the Kafka topics that Logloom creates; unset: the embedded log keeps them forever, Kafka for its default time',
    }),
    DEAD_LETTER_RETENTION_MS: numberSetting({
      unit: 'ms',
      min: 60_000,
      default: 30 * 86_400_000,
      description: 'how long the embedded log keeps dead letters, unless LOG_RETENTION_MS is shorter',
    }),
  },
  kafkaSecurityProblems,
);
