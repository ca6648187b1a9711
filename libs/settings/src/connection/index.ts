export { EngineAccessError, engineAccessErrors } from './engine-access-error.ts';
export { fileSetting } from './file-setting.ts';
export { isFileValue, type FileValue } from './file-value.ts';
export { LiveValues, UnusableValue, type LiveValuesOptions, type Texts } from './live-values.ts';
export { chain, tlsFault, type TlsFaultNames } from './tls-fault.ts';
export { tlsHandshakeError } from './tls-handshake.ts';
export { speaksTls } from './speaks-tls.ts';
export { makeTlsMaterial, type TlsKey, type TlsMaterial } from './tls-material.ts';
export { givenTls, tlsProblems, tlsSettings, tlsValues, type TlsValues } from './tls-settings.ts';
