import { DuckDBInstance, DuckDBTimestampValue, type DuckDBConnection } from '@duckdb/node-api';
import type { PlacedEvent } from '@logloom/schemas';
import { placeOf } from '../duckdb/compile-duckdb.ts';
import { registerDuckDbFunctions } from '../duckdb/functions.ts';
import { joinedWords } from '../tokenize.ts';

/** The events as the embedded store's columns, in a database of its own; the table is `events`. Ids other than places go into `other_id`. */
export async function eventsInDuckDb(events: readonly PlacedEvent[]): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  registerDuckDbFunctions(connection);
  await connection.run(`CREATE TABLE events (epoch VARCHAR, partition INTEGER, "offset" BIGINT, timestamp TIMESTAMP, level VARCHAR, service VARCHAR,
    host VARCHAR, message VARCHAR, words VARCHAR, correlation_id VARCHAR, correlation_kind VARCHAR, trace_id VARCHAR, span_id VARCHAR,
    attributes VARCHAR, other_id VARCHAR)`);
  const appender = await connection.createAppender('events');
  const text = (value: string | null): void => {
    if (value === null) appender.appendNull();
    else appender.appendVarchar(value);
  };
  for (const e of events) {
    const place = placeOf(e.id);
    const isPlace = place?.partition === e.partition && place.offset === e.offset;
    text(isPlace ? place.epoch : null);
    appender.appendInteger(e.partition);
    appender.appendBigInt(BigInt(e.offset));
    appender.appendTimestamp(new DuckDBTimestampValue(BigInt(e.timestamp)));
    for (const value of [e.level, e.service, e.host, e.message, joinedWords(e.message)]) text(value);
    for (const value of [
      e.correlationId,
      e.correlationKind,
      e.traceId,
      e.spanId,
      e.attributes,
      isPlace ? null : e.id,
    ])
      text(value);
    appender.endRow();
  }
  appender.closeSync();
  return connection;
}
