/** A dead letter holds an event that was refused for its size. */
export const maxBatchBytes = 16 << 20;

/** What is looked at in a topic that was there already. */
export const checkedSettings = [
  'message.timestamp.type',
  'cleanup.policy',
  'retention.ms',
  'max.message.bytes',
  'min.insync.replicas',
] as const;

export interface Judgement {
  /** Why the topic cannot be worked with. */
  refused?: string;
  /** What is otherwise than asked, and can be lived with. */
  told: string[];
}

/** Judges a topic's settings. `retentionMs` is what was asked for; undefined leaves it to whoever made the topic. */
export function judgeTopicSettings(
  settings: ReadonlyMap<string, string>,
  retentionMs: number | undefined,
): Judgement {
  const timestamps = settings.get('message.timestamp.type');
  if (timestamps !== 'LogAppendTime')
    return {
      refused: `message.timestamp.type=${timestamps}, not LogAppendTime: a record's time is the log's only where the broker sets it`,
      told: [],
    };
  const cleanup = settings.get('cleanup.policy') ?? '';
  if (cleanup.includes('compact'))
    return {
      refused: `cleanup.policy=${cleanup}, not delete: of the records with one key, compaction keeps the last`,
      told: [],
    };
  const told: string[] = [];
  const retention = settings.get('retention.ms');
  if (retentionMs !== undefined && retention !== String(retentionMs))
    told.push(`retention.ms=${retention}, not ${retentionMs} as LOG_RETENTION_MS asks`);
  const largest = Number(settings.get('max.message.bytes'));
  if (largest < maxBatchBytes)
    told.push(`max.message.bytes=${largest}, not ${maxBatchBytes}: larger records are refused`);
  return { told };
}
