import { declareSettings, listSetting, textSetting } from '@logloom/settings';
import { isHostEntry } from './net/address-rules.ts';

/** Who is told of alerts, and where they may be. */
export const notifySettings = declareSettings(
  { owner: 'libs/notify' },
  {
    RECEIVERS: textSetting({
      bounds: 'YAML file',
      description:
        'receivers of alerts and the routes to them (docs/receivers.md), reloaded whenever the file changes; unset: none',
    }),
    RECEIVERS_ALLOWED_HOSTS: listSetting({
      isItem: isHostEntry,
      bounds: 'names, *.example.com, addresses, networks such as 10.0.0.0/8, comma-separated',
      description:
        'hosts with private, loopback or link-local addresses that receivers, their proxies and the webhooks of rules may be at; names without * and addresses in ALLOWED_HOSTS count too; unset: only the webhooks of rules may, and not at link-local addresses',
    }),
  },
);
