import { hexDigits, type DemoEvent, type Random } from './demo-traffic.ts';

const guesser = '203.0.113.66';

/** A customer logs in at the shop, or somebody guesses passwords from one address. In order of time. */
export function makeLogin(random: Random): DemoEvent[] {
  const isGuessed = random() < 0.4;
  const ip = isGuessed ? guesser : `198.51.100.${1 + Math.floor(random() * 200)}`;
  const user = `user-${Math.floor(random() * 500)}`;
  const isRight = random() < (isGuessed ? 0.05 : 0.93);
  const traceId = hexDigits(random, 32);
  const tookMs = Math.round(30 + random() * 60);
  const status = isRight ? 200 : 401;
  const event = (
    atMs: number,
    service: string,
    level: string,
    message: string,
    attributes: Record<string, unknown>,
  ): DemoEvent => ({
    atMs,
    level,
    service,
    host: `${service}-1`,
    message,
    traceId,
    spanId: hexDigits(random, 16),
    attributes,
  });
  const http = { method: 'POST', path: '/login' };
  const client = { ip };
  return [
    event(0, 'gateway', 'info', 'POST /login', { http, client }),
    event(
      tookMs,
      'auth',
      isRight ? 'info' : 'warn',
      isRight ? `login succeeded for ${user}` : `login failed for ${user}: wrong password`,
      { client, user: { id: user } },
    ),
    event(tookMs + 2, 'gateway', isRight ? 'info' : 'warn', `POST /login → ${status} in ${tookMs + 2} ms`, {
      http: { ...http, status },
      durationMs: tookMs + 2,
    }),
  ];
}
