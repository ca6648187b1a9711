import { customSetting, declareSettings, InvalidValue } from '@logloom/settings';

export const archiveSettings = declareSettings(
  { owner: 'libs/archive' },
  {
    MONGODB_URL: customSetting({
      bounds: 'connection string, mongodb: or mongodb+srv:',
      secrecy: 'may-hold-one',
      read: (text) => {
        // Several hosts, which a URL does not know: mongodb://a:27017,b:27017/logs
        if (!/^mongodb(\+srv)?:\/\/[^\s/]+/.test(text))
          throw new InvalidValue('must be a connection string, mongodb: or mongodb+srv:');
        return text;
      },
      description: 'MongoDB; unset: the embedded archive',
    }),
  },
);
