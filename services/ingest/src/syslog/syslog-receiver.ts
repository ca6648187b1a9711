import type { Settings } from '../settings.ts';
import { randomBytes } from 'node:crypto';
import { SettingsError } from '@logloom/settings';
import { createSecureContext } from 'node:tls';
import { IngestError } from '../errors.ts';
import { openPort, whyTaken } from '../open-port.ts';
import type { Receiver, RunReceiver } from '../pipeline/receiver.ts';
import { messageConversations } from '../stream/message-conversations.ts';
import { MessageWriter } from '../stream/message-writer.ts';
import { openStreamServer } from '../stream/open-stream-server.ts';
import { createSyslogStats, spans } from '../telemetry.ts';
import { contentEnd, readSyslog } from './read-syslog.ts';

const syslogReading = { span: spans.receiveSyslog, kind: 'syslog', read: readSyslog };

/** Syslog over TCP and UDP. Off where SYSLOG_PORT is 0. */
export const syslogReceiver: Receiver = async (context) => {
  const { settings, pipeline, telemetry } = context;
  const port = settings.SYSLOG_PORT;
  if (port === 0) return undefined;
  const producer = randomBytes(9).toString('base64url');
  const opening = openStreamServer(context, {
    name: 'syslog',
    port,
    maxConnections: settings.SYSLOG_MAX_CONNECTIONS,
    idleMs: settings.SYSLOG_IDLE_MS,
    stats: createSyslogStats(telemetry, settings.SYSLOG_MAX_CONNECTIONS),
    converse: (writing) =>
      messageConversations(
        { ...writing, ...syslogReading, pipeline, receiver: 'syslog-tcp', producer: `t${producer}` },
        settings.INGEST_MAX_EVENT_BYTES,
      ),
    datagrams: (writing) => {
      const writer = new MessageWriter({
        ...writing,
        pipeline,
        ...syslogReading,
        receiver: 'syslog-udp',
        producer: `u${producer}`,
        number: 0,
      });
      return { write: (datagrams) => writer.write(datagrams), endOf: contentEnd };
    },
  });
  return orPortTaken(opening, settings);
};

/** Syslog over TLS (RFC 5425). Off without SYSLOG_TLS_CERT, and where SYSLOG_TLS_PORT is 0. */
export const syslogTlsReceiver: Receiver = async (context): Promise<RunReceiver | undefined> => {
  const { settings, pipeline, telemetry, streams } = context;
  const { SYSLOG_TLS_CERT: cert, SYSLOG_TLS_KEY: key, SYSLOG_TLS_CA: ca } = settings;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new SettingsError(['SYSLOG_TLS_CERT and SYSLOG_TLS_KEY: syslog over TLS needs both']);
  const tls = {
    cert: cert.text,
    key: key.text,
    ...(ca !== undefined && { ca: ca.text, requestCert: true, rejectUnauthorized: true }),
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new SettingsError([`SYSLOG_TLS_CERT, SYSLOG_TLS_KEY: ${(error as Error).message}`]);
  }
  const producer = randomBytes(9).toString('base64url');
  return openPort('SYSLOG_TLS_PORT', settings, telemetry.logger, (port) =>
    openStreamServer(context, {
      name: 'syslog over TLS',
      port,
      maxConnections: settings.SYSLOG_MAX_CONNECTIONS,
      idleMs: settings.SYSLOG_IDLE_MS,
      tls,
      stats: streams('syslog-tls'),
      converse: (writing) =>
        messageConversations(
          { ...writing, ...syslogReading, pipeline, receiver: 'syslog-tls', producer: `s${producer}` },
          settings.INGEST_MAX_EVENT_BYTES,
        ),
    }),
  );
};

async function orPortTaken<T>(
  listening: Promise<T>,
  { HOST, SYSLOG_PORT }: Pick<Settings, 'HOST' | 'SYSLOG_PORT'>,
): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const reason = whyTaken(error);
    if (reason === undefined) throw error;
    const { syscall } = error as NodeJS.ErrnoException;
    throw new IngestError(
      'port-taken',
      `SYSLOG_PORT=${SYSLOG_PORT}: ${syscall === 'bind' ? 'UDP' : 'TCP'} port ${SYSLOG_PORT} on ${HOST} ${reason}; set another, or 0 for no syslog`,
      { cause: error },
    );
  }
}
