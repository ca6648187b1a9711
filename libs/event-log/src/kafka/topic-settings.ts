/** A dead letter may hold an event that was refused for its size. */
export const maxBatchBytes = 16 << 20;

/** The settings that are checked on an existing topic. */
export const checkedSettings = [
  'message.timestamp.type',
  'cleanup.policy',
  'retention.ms',
  'max.message.bytes',
  'min.insync.replicas',
  'compression.type',
] as const;

export interface Judgement {
  /** Settings with which the topic cannot be used. */
  refused?: string;
  /** Settings that differ from the expected ones but are acceptable. */
  told: string[];
}

/** Checks a topic's settings. `retentionMs` is the expected retention; undefined accepts any. */
export function judgeTopicSettings(
  settings: ReadonlyMap<string, string>,
  retentionMs: number | undefined,
): Judgement {
  const timestamps = settings.get('message.timestamp.type');
  if (timestamps !== 'LogAppendTime')
    return {
      refused: `message.timestamp.type=${timestamps}, not LogAppendTime: a record's time is its append time only if the broker sets it`,
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
  const compression = settings.get('compression.type') ?? 'producer';
  if (compression !== 'producer' && compression !== 'zstd')
    told.push(`compression.type=${compression}, not zstd: the broker packs every batch of Logloom again`);
  return { told };
}
