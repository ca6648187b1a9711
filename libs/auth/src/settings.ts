import {
  choiceSetting,
  declareSettings,
  flagSetting,
  listSetting,
  settingsOf,
  textSetting,
  type ValuesOf,
} from '@logloom/settings';
import { isIP } from 'node:net';

/** Who may connect and who may read and write. */
export const authSettings = declareSettings(
  { owner: 'libs/auth' },
  {
    HOST: textSetting({ default: '127.0.0.1', description: 'address to listen on' }),
    PUBLISHED_ON: textSetting({
      description: 'address at which the ports of a container are published; unset: HOST',
    }),
    ALLOWED_HOSTS: listSetting({
      isItem: (name) => /^[\w.*-]+$/.test(name),
      bounds: 'names such as logs.example.com without ports, comma-separated',
      description:
        "names, besides localhost and addresses, that this server is called by; '*' stands for any text; requests by others get 421",
    }),
    LIVE_TRUSTED_PROXIES: listSetting({
      isItem: isNetwork,
      bounds: 'addresses, networks such as 10.0.0.0/8, loopback, linklocal, uniquelocal, comma-separated',
      description: "proxies whose X-Forwarded-For is trusted for a viewer's address",
    }),
    LIVE_ALLOWED_ORIGINS: listSetting({
      isItem: (origin) => origin === '*' || isOrigin(origin),
      bounds: 'origins such as https://logs.example.com, comma-separated',
      description: "pages of other origins that may connect; '*' for all",
    }),
    LIVE_AUTH_JWKS: textSetting({
      bounds: 'file or http(s) URL',
      secrecy: 'may-hold-one',
      description: 'JWKS with the keys of tokens; when set, every viewer and search needs a token',
    }),
    LIVE_AUTH_ISSUER: textSetting({ description: 'the `iss` that a token must have; unset: any' }),
    LIVE_AUTH_AUDIENCE: textSetting({ description: 'the `aud` that a token must have; unset: any' }),
    LIVE_AUTH_FILTER_CLAIM: textSetting({
      default: 'logloom_filter',
      description: 'the claim with the filter that a token imposes on its principal',
    }),
    LIVE_AUTH_REQUIRE_FILTER: flagSetting(false, 'true: a token that imposes no filter is refused'),
    LIVE_ALLOW_NO_AUTH: flagSetting(
      false,
      'true: viewers need no token even if HOST is not loopback; no effect with LIVE_AUTH_JWKS',
    ),
    INGEST_KEYS: textSetting({
      bounds: 'YAML or JSON file',
      description:
        'keys that senders over HTTP need (docs/security.md), reloaded when the file changes; unset: none',
    }),
    INGEST_ALLOW_NO_AUTH: flagSetting(
      false,
      'true: senders need no key even if HOST is not loopback; no effect with INGEST_KEYS',
    ),
    AUDIT_READS: flagSetting(
      false,
      'true: each API request and live subscription is logged with who read what, from which address',
    ),
    CANARY: choiceSetting(
      ['off', 'on'],
      'off',
      'on: marked events go through every receiver to the stores and a viewer all the time, and metrics say what was lost and how old it was (docs/canary.md)',
    ),
    CANARY_SECRET: textSetting({
      minLength: 32,
      bounds: '32 characters or more',
      secrecy: 'secret',
      description:
        'secret that marks the events of the canary, the same for all services of a deployment; unset: the one-process mode makes one at each start',
    }),
    CURSOR_KEY: textSetting({
      minLength: 32,
      bounds: '32 characters or more',
      secrecy: 'secret',
      description:
        'secret that encrypts the cursors of searches, the same for all processes that serve /api; unset: a key in LOGLOOM_DATA',
    }),
  },
);

export const settings = settingsOf(authSettings);
export type Settings = ValuesOf<typeof settings>;

/** Reads them from variables. Throws SettingsError with every problem. */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return settings.parse(env);
}

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase();
}
