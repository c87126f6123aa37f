/** Events that come from code and no table: what the followers, the clock and diagd itself have to say. */
import type { Level, Source } from '../events/event.ts'

interface OwnType {
  readonly source: Source
  readonly level: Level
  readonly title: string
  /** What the event is about. */
  readonly subject: string
}

export const OWN_TYPES = {
  'phase.started': type('phase', 'info', 'a line `PHASE START: x` of any program', 'x'),
  'phase.ended': type('phase', 'info', 'a line `PHASE END: x [status]`', 'x'),
  'phase.failed': type('phase', 'error', 'the same, where the status is no success', 'x'),
  'cloud-init.stage-started': type(
    'cloud-init',
    'info',
    'a stage begins: init-local, init-network, modules-config, modules-final',
    'stage',
  ),
  'cloud-init.stage-finished': type('cloud-init', 'info', 'a stage is done', 'stage'),
  'cloud-init.stage-failed': type('cloud-init', 'error', 'a stage is done, and something in it failed', 'stage'),
  'cloud-init.module-started': type('cloud-init', 'debug', 'a module begins', 'stage/module'),
  'cloud-init.module-finished': type('cloud-init', 'info', 'a module is done', 'stage/module'),
  'cloud-init.module-failed': type('cloud-init', 'error', 'a module failed', 'stage/module'),
  'cloud-init.warning': type('cloud-init', 'warning', 'a warning of cloud-init', 'its file'),
  'cloud-init.error': type('cloud-init', 'error', 'an error of cloud-init', 'its file'),
  'cloud-init.finished': type('cloud-init', 'info', 'cloud-init is done with this boot', 'data source'),
  'cloud-init.log-hole': type(
    'diagd',
    'warning',
    'a part of the log of cloud-init was gone before it was read',
    'file',
  ),
  'system.unclean-end': type(
    'systemd',
    'error',
    'this boot ended without a word: power cut, crash of the kernel, reset. Found when the next one begins',
    '',
  ),
  'journal.hole': type(
    'diagd',
    'warning',
    'entries of the journal were gone before diagd read them; how many, as far as is known',
    '',
  ),
  'journal.absent': type('diagd', 'warning', 'there is no journal to follow', ''),
  'engine.followed': type('diagd', 'info', 'a container engine answers, and its containers are followed', 'engine'),
  'engine.waiting': type('diagd', 'info', 'a container engine is not asked, and why', 'socket'),
  'engine.lost': type(
    'diagd',
    'warning',
    'a container engine is gone, or does not answer; it is tried again',
    'engine',
  ),
  'engine.hung': type('diagd', 'error', 'a container engine takes questions and does not answer them', 'engine'),
  'container.create': type('container', 'info', 'the engine made a container', 'container'),
  'container.start': type('container', 'info', 'the engine started a container', 'container'),
  'container.restart': type('container', 'info', 'somebody restarted a container', 'container'),
  'container.pause': type('container', 'info', 'a container was paused', 'container'),
  'container.unpause': type('container', 'info', 'a container that was paused goes on', 'container'),
  'container.rename': type('container', 'info', 'a container got another name', 'container'),
  'container.kill': type('container', 'info', 'the engine sent a signal to a container', 'container'),
  'container.oom': type('container', 'error', 'a container ran out of memory', 'container'),
  'container.health': type(
    'container',
    'info',
    'a health check changed its mind; a warning when it fails',
    'container',
  ),
  'container.die': type('container', 'info', 'a container ended; an error when its exit code is not 0', 'container'),
  'container.destroy': type('container', 'info', 'a container was removed', 'container'),
  'container.log-unreadable': type(
    'diagd',
    'warning',
    'the engine cannot hand out the log of a container: it goes elsewhere',
    'container',
  ),
  'container.log-trouble': type('diagd', 'warning', 'what the engine says of its own trouble with a log', 'container'),
  'container.log-flood': type(
    'diagd',
    'warning',
    'a container logs more than is kept; lines are left out',
    'container',
  ),
  'container.log-withheld': type(
    'diagd',
    'error',
    'lines of a container are not kept, for they could not be masked',
    'container',
  ),
  'container.log-ambiguous': type(
    'diagd',
    'info',
    'lines after a resumption could not be told from known ones',
    'container',
  ),
  'containers.forgotten': type('diagd', 'info', 'of containers that are gone, the first are not kept any more', ''),
  'image.pull': type('container', 'info', 'an image was pulled', 'image'),
  'image.push': type('container', 'info', 'an image was pushed', 'image'),
  'image.build': type('container', 'info', 'an image was built', 'image'),
  'image.load': type('container', 'info', 'an image was loaded from an archive', 'image'),
  'image.import': type('container', 'info', 'an image was made of an archive', 'image'),
  'image.delete': type('container', 'info', 'an image was deleted', 'image'),
  'clock.jumped': type('diagd', 'warning', 'the clock was set forward', ''),
  'clock.set-back': type('diagd', 'warning', 'the clock was set back: times of events overlap, their ids do not', ''),
  'clock.slept': type('diagd', 'info', 'the machine was suspended, and for how long', ''),
  'diagd.started': type('diagd', 'info', 'diagd starts, and how the run before ended', 'version'),
  'diagd.crashed': type('diagd', 'error', 'the run before was killed or crashed, while the machine went on', 'version'),
  'diagd.stopped': type('diagd', 'info', 'diagd was told to stop', 'version'),
  'diagd.degraded': type('diagd', 'warning', 'something of diagd does not work', 'key of the configuration, or part'),
  'diagd.recovered': type('diagd', 'info', 'it works again', 'key of the configuration, or part'),
  'diagd.events-dropped': type('diagd', 'warning', 'more events came than could be stored; how many are lost', ''),
  'bundle.handed-over': type('diagd', 'info', 'a bundle was asked for and sent: who, what, how much', 'bundle id'),
  'bundle.broken-off': type('diagd', 'warning', 'a bundle did not arrive whole', 'bundle id'),
  'bundle.refused': type(
    'diagd',
    'warning',
    'a request for a bundle was refused, or a credential',
    'code of the error',
  ),
  'upload.due': type('diagd', 'info', 'a bundle is to be sent, and why', 'number of the upload'),
  'upload.done': type('diagd', 'info', 'a bundle arrived: where, how much', 'number of the upload'),
  'upload.failed': type('diagd', 'warning', 'a try failed: why, and when the next is', 'number of the upload'),
  'upload.interrupted': type(
    'diagd',
    'info',
    'diagd broke a try off: it was stopped, or a shutdown goes first',
    'number of the upload',
  ),
  'upload.gave-up': type('diagd', 'error', 'a bundle was tried too often; it is not sent', 'number of the upload'),
  'upload.left': type(
    'diagd',
    'warning',
    'what was sent of uploads that broke off could not be removed at the target; it is tried again at the next start',
    'numbers of the uploads',
  ),
  'upload.dropped': type(
    'diagd',
    'warning',
    'too many wait to be sent; this one made room for a newer',
    'number of the upload',
  ),
  'upload.skipped': type(
    'diagd',
    'warning',
    'a run of the schedule fell due while the one before was not done',
    'schedule',
  ),
  'upload.held-back': type(
    'diagd',
    'info',
    'something broke, and no bundle of its own is sent for it: how often, and why',
    'trigger',
  ),
} as const satisfies Record<string, OwnType>

export type OwnEventType = keyof typeof OWN_TYPES

/** Type, source and level of an event of diagd's own code. */
export function ownType(name: OwnEventType): { type: OwnEventType; source: Source; level: Level } {
  const { source, level } = OWN_TYPES[name]
  return { type: name, source, level }
}

function type(source: Source, level: Level, title: string, subject: string): OwnType {
  return { source, level, title, subject }
}
