import { freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { DeliveryError } from '../delivery-error.ts';
import { AddressRules } from '../net/address-rules.ts';
import { alertState, resolvedState } from '../testing/alert.ts';
import { notificationOf } from '../testing/notification.ts';
import { makeCertificate, startSmtpReceiver } from '../testing/smtp-receiver.ts';
import { sendEmail } from './email.ts';

const { signal } = new AbortController();
const deps = { rules: new AddressRules(['127.0.0.1']), link: 'https://logloom.example.com', nowMs: Date.now };
const addresses = { from: 'Logloom <logloom@example.com>', to: ['ops@example.com', 'shop@example.com'] };

async function failureOf(sent: Promise<void>): Promise<DeliveryError> {
  const error = await sent.then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DeliveryError, String(error));
  return error;
}

test('an e-mail arrives by STARTTLS with a login, and by TLS from the first byte', async () => {
  using folder = temporaryFolder('smtp');
  const certificate = makeCertificate(folder.path);
  const login = { username: 'ada', password: 'pass word', caFile: certificate.cert };
  {
    await using server = await startSmtpReceiver(certificate);
    const options = { server: `smtp://127.0.0.1:${server.port}`, ...login, ...addresses };
    await sendEmail(options, notificationOf(), deps, signal);
    const [mail] = server.mails;
    assert.deepEqual(
      { ...mail, source: '' },
      { from: 'logloom@example.com', to: addresses.to, user: 'ada', isEncrypted: true, source: '' },
    );
    assert.match(mail!.source, /^Subject: \[FIRING:1\] errors-by-service\r$/m);
    assert.match(mail!.source, /^Message-ID: <f{32}@logloom>\r$/im);
    assert.match(mail!.source, /^Auto-Submitted: auto-generated\r$/im);
    assert.match(mail!.source, /high: more than 5 % of requests failed/);
    assert.match(mail!.source, /multipart\/alternative/);
    await sendEmail(options, notificationOf([resolvedState(alertState(1))]), deps, signal);
    assert.match(server.mails[1]!.source, /^Subject: \[RESOLVED\] errors-by-service\r$/m);
  }
  await using server = await startSmtpReceiver(certificate, { secure: true });
  const options = { server: `smtps://127.0.0.1:${server.port}`, ...login, ...addresses };
  await sendEmail(options, notificationOf(), deps, signal);
  assert.equal(server.mails[0]?.isEncrypted, true);
});

test('nothing is sent in the open unless the file says so, nor to a server with an unknown certificate', async () => {
  using folder = temporaryFolder('smtp');
  const certificate = makeCertificate(folder.path);
  await using plain = await startSmtpReceiver(certificate, { disabledCommands: ['STARTTLS'] });
  const options = { server: `smtp://127.0.0.1:${plain.port}`, ...addresses };
  assert.equal((await failureOf(sendEmail(options, notificationOf(), deps, signal))).isFinal, false);
  assert.equal(plain.mails.length, 0);
  await sendEmail({ ...options, startTls: 'ifOffered' }, notificationOf(), deps, signal);
  assert.equal(plain.mails[0]?.isEncrypted, false);
  await using unknown = await startSmtpReceiver(certificate);
  const other = { server: `smtp://127.0.0.1:${unknown.port}`, ...addresses };
  assert.match(
    (await failureOf(sendEmail(other, notificationOf(), deps, signal))).message,
    /cannot be told \(ETLS|ESOCKET/,
  );
  assert.equal(unknown.mails.length, 0);
});

test('a refused recipient is final; a wrong password, a busy server and one that hangs are not', async () => {
  using folder = temporaryFolder('smtp');
  const certificate = makeCertificate(folder.path);
  const refuse = (responseCode: number) => ({
    onRcptTo: (_: unknown, __: unknown, callback: (error: Error) => void) =>
      callback(Object.assign(new Error('no'), { responseCode })),
  });
  for (const [code, isFinal] of [
    [550, true],
    [451, false],
  ] as const) {
    await using server = await startSmtpReceiver(certificate, refuse(code));
    const options = { server: `smtp://127.0.0.1:${server.port}`, caFile: certificate.cert, ...addresses };
    const error = await failureOf(sendEmail(options, notificationOf(), deps, signal));
    assert.deepEqual([error.isFinal, error.message], [isFinal, `smtp server 127.0.0.1 answered ${code}`]);
  }
  await using server = await startSmtpReceiver(certificate);
  const wrong = {
    server: `smtp://127.0.0.1:${server.port}`,
    caFile: certificate.cert,
    username: 'ada',
    password: 'not-the-password',
    ...addresses,
  };
  const refused = await failureOf(sendEmail(wrong, notificationOf(), deps, signal));
  assert.deepEqual([refused.isFinal, refused.message.includes('not-the-password')], [false, false]);

  const sockets: Socket[] = [];
  const hanging = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  const { port } = hanging.address() as { port: number };
  const silent = { server: `smtp://127.0.0.1:${port}`, timeout: '100ms', ...addresses };
  const error = await failureOf(sendEmail(silent, notificationOf(), deps, signal));
  assert.ok(error.isSilent && /within 0.1 s/.test(error.message), error.message);
  for (const socket of sockets) socket.destroy();
  hanging.close();
  const gone = { server: `smtp://127.0.0.1:${await freePort()}`, ...addresses };
  assert.ok((await failureOf(sendEmail(gone, notificationOf(), deps, signal))).isSilent);
});

test('a mail server that is not public has to be allowed', async () => {
  const error = await failureOf(
    sendEmail(
      { server: 'smtp://127.0.0.1:25', ...addresses },
      notificationOf(),
      { ...deps, rules: new AddressRules([]) },
      signal,
    ),
  );
  assert.ok(error.isFinal && /private, loopback/.test(error.message));
});

test('the subject and the addresses cannot add headers', async () => {
  using folder = temporaryFolder('smtp');
  const certificate = makeCertificate(folder.path);
  await using server = await startSmtpReceiver(certificate);
  const options = { server: `smtp://127.0.0.1:${server.port}`, caFile: certificate.cert, ...addresses };
  const groupLabels = { alertname: 'x\r\nBcc: all@example.com\r\n\r\nbody' };
  await sendEmail(options, notificationOf(undefined, { groupLabels }), deps, signal);
  const [head] = server.mails[0]!.source.split('\r\n\r\n');
  assert.ok(!/^Bcc:/im.test(head!), head);
  assert.deepEqual(server.mails[0]?.to, addresses.to);
});
