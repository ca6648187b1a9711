import { customSetting, declareSettings, InvalidValue, type Values } from '@logloom/settings';
import { fileSetting, givenTls, tlsProblems, tlsSettings, tlsValues } from '@logloom/settings/connection';
import { speaksTls, type MongoAccess } from './mongodb/access.ts';

const declared = {
  MONGODB_URL: customSetting({
    bounds: 'connection string, mongodb: or mongodb+srv:',
    secrecy: 'may-hold-one',
    read: (text) => {
      // Several hosts, which a URL does not know: mongodb://a:27017,b:27017/logs
      if (!/^mongodb(\+srv)?:\/\/[^\s/]+/.test(text))
        throw new InvalidValue('must be a connection string, mongodb: or mongodb+srv:');
      return text;
    },
    description: 'MongoDB; unset: the embedded archive (docs/engines.md)',
  }),
  MONGODB_USERNAME: fileSetting('MONGODB_USERNAME', {
    description: 'user of MongoDB, instead of the one in MONGODB_URL',
  }),
  MONGODB_PASSWORD: fileSetting('MONGODB_PASSWORD', {
    description: 'password for MongoDB, instead of the one in MONGODB_URL',
  }),
  ...tlsSettings('MONGODB_TLS', 'MongoDB'),
};

export const archiveSettings = declareSettings({ owner: 'libs/archive' }, declared, (values) => {
  const tls = tlsValues('MONGODB_TLS', values);
  const problems = tlsProblems('MONGODB_TLS', tls);
  const { MONGODB_URL: url } = values;
  const given = givenTls(tls);
  if (given === undefined || url === undefined) return problems;
  if (!speaksTls(url)) problems.push(`${given} is for TLS: write tls=true in MONGODB_URL`);
  if (/[?&]tls(?:CA|CertificateKey)File=/.test(url))
    problems.push(
      `${given}: MONGODB_URL names files too, which are read at the start only; give one of them`,
    );
  return problems;
});

/** MongoDB as the settings have it, for openArchive(). */
export function mongodbOf(values: Values<typeof declared>): {
  mongodbUrl: string | undefined;
  mongodb: MongoAccess;
} {
  return {
    mongodbUrl: values.MONGODB_URL,
    mongodb: {
      username: values.MONGODB_USERNAME,
      password: values.MONGODB_PASSWORD,
      tls: tlsValues('MONGODB_TLS', values),
    },
  };
}
