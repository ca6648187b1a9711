import { request, type Agent } from 'node:http';

/** Bodies of events of about 400 bytes: ten services, a trace id for each ten events. */
export function makeBodies(count: number, perBody: number): Buffer[] {
  return Array.from({ length: count }, (_, body) =>
    Buffer.from(Array.from({ length: perBody }, (_, i) => makeLine(body * perBody + i)).join('\n')),
  );
}

function makeLine(n: number): string {
  return JSON.stringify({
    timestamp: new Date(Date.now() - 60_000 + (n % 60_000)).toISOString(),
    level: n % 50 === 0 ? 'error' : 'info',
    service: `service-${n % 10}`,
    host: `10.0.0.${n % 20}`,
    message: `request ${n} was handled by the checkout worker after looking at the cart and at the stock of the item`,
    traceId: Math.floor(n / 10)
      .toString(16)
      .padStart(32, 'a'),
    spanId: n.toString(16).padStart(16, 'b'),
    http: { method: 'GET', status: 200, path: `/api/v1/orders/${n}` },
    durationMs: (n % 1000) / 10,
    user: `user-${n % 5000}`,
  });
}

/** Posts a body to /ingest; returns how many of its events were accepted. */
export function postBody(address: string, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
    const sent = request(`${address}/ingest`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve((JSON.parse(text) as { accepted: number }).accepted));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
