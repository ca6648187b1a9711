import { fieldOf, setField, type LayoutSource, type TextEvent } from './layout.ts';
import { refineAccess } from './refine.ts';

const clf =
  '[%{TIME}] %{QUOTED:request} %{NOTSPACE:status} %{NOTSPACE:bytes}( %{QUOTED:http.request.referrer} %{QUOTED:user_agent.original})?';
const clfTimes = ['http', '%d/%b/%Y %H:%M:%S', '%d/%b/%Y:%H:%M:%S'];
const traceRoot = /1-([0-9a-f]{8})-([0-9a-f]{24})/;

/** Access logs: the line stays the message, the status is the level. */
export const accessLayouts: readonly LayoutSource[] = [
  {
    name: 'access',
    title: 'NCSA common and combined: nginx, Apache, Caddy, Traefik, Jetty, gunicorn, Varnish',
    pattern: `%{NOTSPACE:client.address} %{NOTSPACE} %{NOTSPACE:user.name} ${clf}`,
    time: clfTimes,
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '203.0.113.9 - ann [14/Mar/2025:09:26:53 +0100] "POST /cart?id=4 HTTP/1.1" 502 17 "https://shop.example/" "curl/8.0"',
        {
          timestamp: '2025-03-14T08:26:53.000000Z',
          level: 'error',
          user: { name: 'ann' },
          url: { original: '/cart?id=4' },
          user_agent: { original: 'curl/8.0' },
        },
      ],
      [
        '::1 - - [14/Mar/2025 09:26:53] "GET / HTTP/1.0" 404 -',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'warn',
          http: { request: { method: 'GET' }, version: '1.0', response: { status_code: 404 } },
        },
      ],
    ],
  },
  {
    name: 'access-vhost',
    title: 'NCSA with the virtual host in front',
    pattern: `%{NOTSPACE:url.domain} %{HOST:client.address} %{NOTSPACE} %{NOTSPACE:user.name} ${clf}`,
    time: clfTimes,
    keepsLine: true,
    refine: (event) => {
      refineAccess(event);
      // A list of addresses, as a proxy passes them on.
      const domain = fieldOf(event, 'url.domain');
      if (typeof domain !== 'string' || !domain.endsWith(',')) return;
      setField(event, ['client', 'address'], domain.slice(0, -1));
      delete (event['url'] as TextEvent)['domain'];
    },
    examples: [
      [
        'shop.example:443 203.0.113.9 - - [14/Mar/2025:09:26:53 +0000] "GET /x HTTP/1.1" 200 12',
        {
          level: 'info',
          url: { domain: 'shop.example:443', original: '/x' },
          client: { address: '203.0.113.9' },
        },
      ],
    ],
  },
  {
    name: 'aws-alb',
    title: 'AWS Application Load Balancer',
    pattern:
      '(http|https|h2|grpcs|wss|ws) %{TIME} %{NOTSPACE:aws.elb} %{NOTSPACE:client.address} %{NOTSPACE:aws.target} %{NUMBER} %{NUMBER} %{NUMBER} %{NOTSPACE:status} %{NOTSPACE:aws.target_status} %{INT} %{INT:bytes} %{QUOTED:request} %{QUOTED:user_agent.original} %{NOTSPACE} %{NOTSPACE} %{NOTSPACE} %{QUOTED:aws.trace}',
    time: 'iso8601',
    keepsLine: true,
    refine: (event) => {
      refineAccess(event);
      const root = traceRoot.exec(String(fieldOf(event, 'aws.trace')));
      if (root !== null) event['traceId'] = `${root[1]}${root[2]}`;
    },
    examples: [
      [
        'https 2025-03-14T09:26:53.589793Z app/web/1234 203.0.113.9:4000 10.0.0.1:80 0.001 0.002 0.000 503 503 5 257 "GET https://shop.example:443/a HTTP/1.1" "curl/8" ECDHE-RSA TLSv1.2 arn:aws:tg "Root=1-67d3f75d-0123456789abcdef01234567" "-" "-" 1 2025-03-14T09:26:53.500000Z "forward" "-" "-" "10.0.0.1:80" "503" "-" "-"',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'error',
          traceId: '67d3f75d0123456789abcdef01234567',
        },
      ],
    ],
  },
  {
    name: 'aws-elb',
    title: 'AWS Classic Load Balancer',
    pattern:
      '%{TIME} %{NOTSPACE:aws.elb} %{NOTSPACE:client.address} %{NOTSPACE:aws.target} %{NUMBER} %{NUMBER} %{NUMBER} %{NOTSPACE:status} %{NOTSPACE:aws.target_status} %{INT} %{INT:bytes} %{QUOTED:request}',
    time: 'iso8601',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '2025-03-14T09:26:53.589793Z web 203.0.113.9:2817 10.0.0.1:80 0.000073 0.001048 0.000057 404 404 0 29 "GET http://shop.example:80/ HTTP/1.1" "curl/8" - -',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'warn' },
      ],
    ],
  },
  {
    name: 'aws-s3',
    title: 'AWS S3 server access',
    pattern:
      '%{HEX:aws.owner} %{NAME:aws.bucket} [%{TIME}] %{NOTSPACE:client.address} %{NOTSPACE:user.name} %{NOTSPACE:requestId} %{NOTSPACE:aws.operation} %{NOTSPACE:aws.key} %{QUOTED:request} %{NOTSPACE:status} %{NOTSPACE:aws.error} %{NOTSPACE:bytes}',
    time: 'http',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '79a59df900b949e5 logs [14/Mar/2025:09:26:53 +0000] 203.0.113.9 - 3E57427F3EXAMPLE REST.GET.OBJECT a.txt "GET /logs/a.txt HTTP/1.1" 403 AccessDenied 243 - 7 - "-" "S3Console/0.4" -',
        { level: 'warn', requestId: '3E57427F3EXAMPLE' },
      ],
    ],
  },
  {
    name: 'aws-vpc-flow',
    title: 'AWS VPC flow logs',
    pattern:
      '%{DIGITS:aws.version} %{DIGITS:cloud.account.id} %{NAME:aws.interface} %{IP:source.address} %{IP:destination.address} %{INT:source.port} %{INT:destination.port} %{INT:network.protocol} %{INT:network.packets} %{INT:network.bytes} %{TIME} %{DIGITS} %{WORD:event.action} %{WORD:aws.status}',
    time: 'epoch',
    keepsLine: true,
    refine: (event) => void (event['level'] = fieldOf(event, 'event.action') === 'REJECT' ? 'warn' : 'info'),
    examples: [
      [
        '2 123456789010 eni-0123 203.0.113.9 10.0.0.1 20641 22 6 20 4249 1741944413 1741944473 REJECT OK',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'warn',
          source: { address: '203.0.113.9', port: 20641 },
        },
      ],
    ],
  },
  {
    name: 'envoy-access',
    title: 'Envoy and Istio',
    pattern: '[%{TIME}] %{QUOTED:request} %{INT:status} %{NOTSPACE:envoy.response_flags} ',
    time: 'iso8601',
    keepsLine: true,
    refine: (event, text) => {
      refineAccess(event);
      const id = /"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"/.exec(text)?.[1];
      if (id !== undefined) event['requestId'] = id;
    },
    examples: [
      [
        '[2025-03-14T09:26:53.589Z] "GET /a HTTP/1.1" 503 UH - "-" 0 91 0 - "-" "curl/8" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop" "-"',
        { level: 'error', requestId: 'cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2' },
      ],
    ],
  },
  {
    name: 'haproxy-http',
    title: 'HAProxy, HTTP, without syslog around it',
    pattern:
      '%{NOTSPACE:client.address} [%{TIME}] %{NOTSPACE:haproxy.frontend} %{NOTSPACE:haproxy.backend} %{NOTSPACE:haproxy.timers} %{INT:status} %{NOTSPACE:bytes} %{NOTSPACE} %{NOTSPACE} %{NOTSPACE:haproxy.termination} %{NOTSPACE} %{NOTSPACE} (\\{%{DATA}\\} )?(\\{%{DATA}\\} )?%{QUOTED:request}',
    time: '%d/%b/%Y:%H:%M:%S',
    service: 'haproxy',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '203.0.113.9:33317 [14/Mar/2025:09:26:53.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {shop.example} {} "GET /x HTTP/1.1"',
        { timestamp: '2025-03-14T09:26:53.655000Z', level: 'info', service: 'haproxy' },
      ],
    ],
  },
  {
    name: 'squid',
    title: 'Squid, native',
    pattern:
      '%{TIME} %{INT:event.duration_ms} %{IP:client.address} %{WORD:squid.result}/%{INT:status} %{INT:bytes} %{METHOD:http.request.method} %{NOTSPACE:url.original} %{NOTSPACE:user.name} %{NOTSPACE:squid.peer} %{NOTSPACE}',
    time: 'epoch',
    service: 'squid',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '1741944413.589    921 203.0.113.9 TCP_MISS/200 507 GET http://shop.example/ - DIRECT/10.0.0.1 text/html',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'info',
          http: { request: { method: 'GET' }, response: { status_code: 200, body: { size: 507 } } },
        },
      ],
    ],
  },
  {
    name: 'django-access',
    title: "Django's development server",
    pattern: '[%{TIME}] %{QUOTED:request} %{INT:status} %{INT:bytes}',
    time: '%d/%b/%Y %H:%M:%S',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '[14/Mar/2025 09:26:53] "GET /cart HTTP/1.1" 302 0',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'info' },
      ],
    ],
  },
  {
    name: 'gin',
    title: 'Gin (Go)',
    pattern:
      '[GIN] %{TIME} | %{INT:status} | %{DATA:event.duration} | %{NOTSPACE:client.address} | %{METHOD:http.request.method} %{QUOTED:url.original}',
    time: '%Y/%m/%d - %H:%M:%S',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '[GIN] 2025/03/14 - 09:26:53 | 500 |     1.2ms |     203.0.113.9 | GET      "/ping"',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'error', url: { original: '/ping' } },
      ],
    ],
  },
  {
    name: 'uwsgi',
    title: 'uWSGI',
    pattern:
      '[pid: %{INT:process.pid}|app: %{INT}|req: %{DATA}] %{NOTSPACE:client.address} \\(%{DATA}\\) {%{DATA}} [%{TIME}] %{METHOD:http.request.method} %{NOTSPACE:url.original} => generated %{INT:bytes} bytes in %{DATA:event.duration} \\(HTTP/%{NAME:http.version} %{INT:status}\\)',
    time: '%a %b %e %H:%M:%S %Y',
    keepsLine: true,
    refine: refineAccess,
    examples: [
      [
        '[pid: 7|app: 0|req: 1/1] 203.0.113.9 () {42 vars in 675 bytes} [Fri Mar 14 09:26:53 2025] GET /x => generated 12 bytes in 3 msecs (HTTP/1.1 404) 2 headers in 80 bytes',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'warn', process: { pid: 7 } },
      ],
    ],
  },
  {
    name: 'rails-started',
    title: 'Ruby on Rails: the beginning of a request',
    pattern:
      '([%{UUID:requestId}] )?Started %{METHOD:http.request.method} %{QUOTED:url.original} for %{NOTSPACE:client.address} at %{TIME}',
    time: 'iso8601',
    keepsLine: true,
    refine: (event) => setField(event, ['level'], 'info'),
    examples: [
      [
        'Started GET "/orders" for 203.0.113.9 at 2025-03-14 09:26:53 +0100',
        { timestamp: '2025-03-14T08:26:53.000000Z', url: { original: '/orders' } },
      ],
    ],
  },
];
