export { settingsErrors } from './errors.ts';
export { loadEnvironment } from './load-environment.ts';
export { memoryBudget, memoryLimit } from './memory-budget.ts';
export { hideSecrets, rememberSecrets, secretsOf, withoutSecrets } from './secrets.ts';
export {
  choiceSetting,
  commaSeparated,
  customSetting,
  flagSetting,
  InvalidValue,
  listSetting,
  numberSetting,
  optionalPortSetting,
  portSetting,
  textSetting,
  urlSetting,
  type Declarations,
  type Setting,
  type Values,
} from './setting.ts';
export { SettingsError } from './settings-error.ts';
export { declareSettings, type SettingsGroup } from './settings-group.ts';
export {
  settingsOf,
  SettingsSet,
  type DescribedSetting,
  type SettingInForce,
  type ValuesOf,
} from './settings-set.ts';
