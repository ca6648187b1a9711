import { durationMs } from '@logloom/schemas';
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { DeliveryError } from '../delivery-error.ts';
import type { OptionsOf } from '../file/receiver-schema.ts';
import type { AddressRules } from '../net/address-rules.ts';
import { AddressRefusedError, checkHost, guardedLookup } from '../net/guarded-lookup.ts';
import { emailMessage } from './email-message.ts';
import type { Send } from './sender.ts';

const defaultTimeout = '10s';
/** Ports of SMTP submission, with STARTTLS and with TLS from the first byte (RFC 8314). */
const ports = { 'smtp:': 587, 'smtps:': 465 } as const;

/** Sends an e-mail. Its Message-ID is made of the notification's id, so that mail servers recognize one that was sent twice. */
export const sendEmail: Send<OptionsOf<'email'>> = async (options, notification, deps, signal) => {
  const { server, startTls = 'required', username, password, from, to, caFile } = options;
  const { protocol, hostname, port } = new URL(server) as URL & { protocol: keyof typeof ports };
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const timeoutMs = durationMs(options.timeout ?? defaultTimeout);
  const ends = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  let socket: Socket | undefined;
  try {
    socket = await openSocket(host, Number(port) || ports[protocol], deps.rules, ends);
    // Loaded only here: most deployments send no e-mail.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      connection: socket,
      secure: protocol === 'smtps:',
      requireTLS: startTls === 'required',
      ignoreTLS: startTls === 'off',
      ...(username !== undefined && { auth: { user: username, pass: password ?? '' } }),
      tls: {
        ...(isIP(host) === 0 && { servername: host }),
        ...(caFile !== undefined && { ca: readFileSync(caFile) }),
      },
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const sent = transport.sendMail({
      from,
      to,
      ...emailMessage(notification, deps.link),
      messageId: `<${notification.id}@logloom>`,
      headers: { 'auto-submitted': 'auto-generated', 'x-logloom-group': notification.groupId },
    });
    await Promise.race([sent, abortOf(ends)]);
  } catch (error) {
    if (signal.aborted || error instanceof DeliveryError) throw error;
    throw failure(`smtp server ${host}`, error, ends.aborted ? timeoutMs : undefined);
  } finally {
    socket?.destroy();
  }
};

async function openSocket(
  host: string,
  port: number,
  rules: AddressRules,
  signal: AbortSignal,
): Promise<Socket> {
  await checkHost(rules, host);
  const socket = connect({ host, port, lookup: guardedLookup(rules) });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** 5xx replies are final (RFC 5321, 4.2.1), but not a refused login or a missing STARTTLS: an operator can mend these at the server. */
function failure(server: string, error: unknown, timeoutMs: number | undefined): DeliveryError {
  if (timeoutMs !== undefined)
    return new DeliveryError(`${server} did not answer within ${timeoutMs / 1000} s`, { isSilent: true });
  if (error instanceof AddressRefusedError)
    return new DeliveryError(error.message, { isFinal: true, isRefused: true });
  const { code, responseCode, message } = error as { code?: string; responseCode?: number; message: string };
  if (responseCode !== undefined)
    return new DeliveryError(`${server} answered ${responseCode}`, {
      isRefused: true,
      isFinal: responseCode >= 500 && code !== 'EAUTH' && code !== 'ETLS',
    });
  return new DeliveryError(`${server} cannot be told (${code ?? message})`, { isSilent: true });
}
