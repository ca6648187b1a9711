export { settingsErrors } from './errors.ts';
export { loadEnvironment, loadSettings } from './load-settings.ts';
export { memoryBudget, memoryLimit } from './memory-budget.ts';
export { secretsOf } from './secrets.ts';
export { SettingsError } from './settings-error.ts';
export { describeSettings, parseSettings, type ServiceQuota, type Settings } from './settings.ts';
