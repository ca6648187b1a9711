import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { alertToJson, correlationToJson, epochHeader, topics } from '@logloom/schemas';
import { mkdirSync, openSync, closeSync, writeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../commands/command-errors.ts';
import type { ReplayView } from './replay.ts';

export const documentsFile = 'correlations.ndjson';
const alertsFile = 'alerts.ndjson';

/** Files in a new folder: correlations.ndjson and alerts.ndjson, one JSON object a line, every revision. */
export class FolderView implements ReplayView, Disposable {
  readonly #documents: number;
  readonly #alerts: number;

  /** Throws CommandError when the folder holds a view already. */
  constructor(folder: string) {
    if (existsSync(join(folder, documentsFile)))
      throw new CommandError('command-failed', `${folder} already contains a view`);
    mkdirSync(folder, { recursive: true });
    this.#documents = openSync(join(folder, documentsFile), 'wx');
    this.#alerts = openSync(join(folder, alertsFile), 'wx');
  }

  put: ReplayView['put'] = async (documents, alerts) => {
    write(this.#documents, documents.map(correlationToJson));
    write(this.#alerts, alerts.map(alertToJson));
  };

  [Symbol.dispose](): void {
    closeSync(this.#documents);
    closeSync(this.#alerts);
  }
}

function write(file: number, objects: readonly object[]): void {
  if (objects.length > 0) writeSync(file, objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
}

/** A separate topic beside the live ones; alerts are dropped. */
export class TopicView implements ReplayView {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #topic: string;
  /** The epoch of logs.events, as in live documents. */
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(log: EventLog, serde: Serde, topic: string, epoch: string) {
    this.#headers = { [epochHeader]: epoch };
    this.#log = log;
    this.#serde = serde;
    this.#topic = topic;
  }

  /** Creates the topic. Throws CommandError for the name of a live one, or one that is not empty. */
  static async create(log: EventLog, serde: Serde, topic: string): Promise<TopicView> {
    if (!/^replay\.[A-Za-z0-9._-]{1,100}$/.test(topic))
      throw new CommandError(
        'command-failed',
        'the topic of a replay is named replay.…, with letters, digits, dots and hyphens',
      );
    const partitions = await log.partitionCount(topics.events);
    await log.createTopics([{ name: topic, partitions }]);
    if ((await log.endOffsets(topic)).some((end) => end > 0))
      throw new CommandError('command-failed', `the topic ${topic} is not empty`);
    return new TopicView(log, serde, topic, await log.epochOf(topics.events));
  }

  put: ReplayView['put'] = async (documents) => {
    if (documents.length === 0) return;
    await this.#log.append(
      this.#topic,
      documents.map((document) => ({
        partition: document.partition,
        key: document.correlationId,
        value: this.#serde.encode('Correlation', document),
        headers: this.#headers,
      })),
    );
  };
}
