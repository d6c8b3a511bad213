import { defineCommand } from '../command/define-command.ts'
import { admissionForms } from './scadmin/admission-forms.ts'
import { databaseForms } from './scadmin/database-forms.ts'
import { fenceForms } from './scadmin/fence-forms.ts'
import { lifeForms } from './scadmin/life-forms.ts'
import { scadminOptions } from './scadmin/scadmin-options.ts'
import { storyForms } from './scadmin/story-forms.ts'
import { switchForms } from './scadmin/switch-forms.ts'
import { voterForms } from './scadmin/voter-forms.ts'

export const scadmin = defineCommand({
  name: 'scadmin',
  summary: 'start and stop hosts, and look into what the cluster did',
  description: [
    'setup makes this host part of a cluster, once. startcluster starts the first host of a cluster, startnode every further one; stopnode lets a host ' +
      'leave in an orderly way: its logical hosts move to other members.',
    'history, timeline and explain tell what happened, where every second went, and why a logical host is where it is.',
  ],
  options: scadminOptions,
  examples: [
    {
      line: 'scadmin setup --cluster demo --host alpha',
      describe: 'Make this machine the host alpha of the cluster demo.',
    },
    { line: 'scadmin startcluster alpha demo', describe: 'Start the cluster with this host as its first member.' },
    { line: 'scadmin startnode', describe: 'Let this host join.' },
    { line: 'scadmin stopnode', describe: 'Take this host out for maintenance.' },
    { line: 'scadmin timeline', describe: 'See where every second of the last reconfiguration went.' },
    { line: 'scadmin fence beta --reason "hangs"', describe: 'Switch beta off, and let the others take over.' },
    { line: 'scadmin explain ha1', describe: 'Ask why ha1 is where it is.' },
  ],
  forms: [
    ...lifeForms,
    ...admissionForms,
    ...switchForms,
    ...storyForms,
    ...databaseForms,
    ...fenceForms,
    ...voterForms,
  ],
})
