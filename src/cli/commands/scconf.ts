import { defineCommand } from '../command/define-command.ts'
import { clusterForms } from './scconf/cluster-forms.ts'
import { fenceForms } from './scconf/fence-forms.ts'
import { fileForms } from './scconf/file-forms.ts'
import { hostForms } from './scconf/host-forms.ts'
import { logicalHostForms } from './scconf/logical-host-forms.ts'
import { networkForms } from './scconf/network-forms.ts'
import { scconfOptions } from './scconf/scconf-options.ts'

export const scconf = defineCommand({
  name: 'scconf',
  summary: 'configure the cluster',
  description: [
    'The classic forms name the cluster first and change one thing. The modern way is a file: `scconf export` prints the whole configuration as YAML, ' +
      '`scconf diff` shows what a file would change, and `scconf apply` changes it, all of it or nothing.',
    'Every change is checked as a whole; all problems are told at once, and then nothing is changed. One member is enough, and any will do.',
  ],
  options: scconfOptions,
  examples: [
    { line: 'scconf demo --physical-host beta', describe: 'Add a physical host.' },
    { line: 'scconf demo --network priv1 --role internal', describe: 'Define a private network.' },
    {
      line: 'scconf demo --physical-host beta --interface priv1:eth1:10.1.0.2',
      describe: 'Say where beta is connected to it; heartbeats then go over it.',
    },
    { line: 'scconf demo --disk-group dg1 --define directory:/srv/dg1', describe: 'Define a disk group.' },
    {
      line: 'scconf demo -L ha1 -n alpha,beta -g dg1 -i eth0,eth0,10.0.0.11/24',
      describe:
        'Define a logical host: its possible masters in order of preference, its disk group, its adapters and its address.',
    },
    { line: 'scconf demo -L ha1 --change --switchback manual', describe: 'Change one thing of it.' },
    { line: 'scconf demo -s web ha1', describe: 'Configure the data service web on ha1 too.' },
    {
      line: 'scconf demo --fence-device pdu --program /usr/local/sbin/pdu --hosts alpha,beta',
      describe: 'Define a device that can fence alpha and beta.',
    },
    { line: 'scconf demo --fence-levels beta=pdu', describe: 'Fence beta with it.' },
    { line: 'scconf export > cluster.yaml', describe: 'Write down the whole configuration.' },
    {
      line: 'scconf diff -f cluster.yaml && scconf apply -f cluster.yaml',
      describe: 'Change it by editing that file.',
    },
  ],
  forms: [...logicalHostForms, ...clusterForms, ...hostForms, ...networkForms, ...fenceForms, ...fileForms],
})
