/**
 * Readings and events as OTLP says them in protobuf, by OpenTelemetry's own encoder. The only file that knows its packages:
 * it is loaded when there is somebody to send to.
 */
import { SeverityNumber, ValueType } from '@opentelemetry/api'
import { ProtobufLogsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import type { Level, StoredEvent } from '../record/events/event.ts'
import { LABELS } from '../record/metrics/catalogue/labels.ts'
import type { Metric, Reading, ReadingRow } from '../record/metrics/metric.ts'

export interface Origin {
  /** Resource attributes: `host.name`, `service.name`. */
  readonly resource: Readonly<Record<string, string>>
  readonly version: string
}

/** What a collector took, and says that it threw away all the same. */
export interface Rejected {
  readonly count: number
  readonly message: string
}

type HrTime = [seconds: number, nanoseconds: number]

/** And how many data points there are in it. */
export function encodeReading(
  reading: Reading,
  catalogue: readonly Metric[],
  origin: Origin,
): { body: Uint8Array; points: number } {
  const rowsOf = Map.groupBy(reading.rows, ({ subject }) => subject)
  const sent = catalogue.filter((metric) => metric.otel !== undefined)
  const all = [...Map.groupBy(sent, ({ otel }) => otel!.name).values()].map((same) => metricData(same, rowsOf, reading))
  const metrics = all.filter(({ dataPoints }) => dataPoints.length > 0)
  const request: ResourceMetrics = {
    resource: resourceFromAttributes({ ...origin.resource }),
    scopeMetrics: [{ scope: scopeOf(origin), metrics }],
  }
  const points = metrics.reduce((sum, { dataPoints }) => sum + dataPoints.length, 0)
  return { body: encoded(ProtobufMetricsSerializer.serializeRequest(request)), points }
}

export function encodeEvents(events: readonly StoredEvent[], origin: Origin): Uint8Array {
  const resource = resourceFromAttributes({ ...origin.resource })
  const instrumentationScope = scopeOf(origin)
  const records = events.map((event) => {
    const hrTime = timeOf(event.timeMs)
    return {
      hrTime,
      hrTimeObserved: hrTime,
      severityNumber: SEVERITIES[event.level],
      severityText: event.level,
      eventName: event.type,
      body: event.message,
      attributes: attributesOf(event),
      droppedAttributesCount: 0,
      resource,
      instrumentationScope,
    }
  })
  return encoded(ProtobufLogsSerializer.serializeRequest(records))
}

/** What a 200 says; undefined when all of it is kept. An answer that cannot be read is no reason to send again. */
export function rejectedBy(signal: 'metrics' | 'logs', body: Uint8Array): Rejected | undefined {
  try {
    if (signal === 'metrics') {
      const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(body)
      return rejected(partialSuccess?.rejectedDataPoints, partialSuccess?.errorMessage)
    }
    const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(body)
    return rejected(partialSuccess?.rejectedLogRecords, partialSuccess?.errorMessage)
  } catch {
    return undefined
  }
}

function rejected(count = 0, message = ''): Rejected | undefined {
  return count > 0 ? { count, message } : undefined
}

/** All that shares a name is one metric; its points differ in attributes. */
function metricData(
  same: readonly Metric[],
  rowsOf: ReadonlyMap<Metric['subject'], readonly ReadingRow[]>,
  reading: Reading,
): MetricData {
  const [{ otel, help }] = same as [Metric]
  const { name, unit, instrument, help: helpOfAll } = otel!
  const dataPoints = same.flatMap((metric) => (rowsOf.get(metric.subject) ?? []).flatMap(pointOf(metric, reading)))
  const data = {
    descriptor: { name, unit, description: helpOfAll ?? help, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints,
  }
  if (instrument === 'gauge') return { ...data, dataPointType: DataPointType.GAUGE }
  return { ...data, dataPointType: DataPointType.SUM, isMonotonic: instrument === 'counter' }
}

function pointOf(metric: Metric, reading: Reading) {
  const startTime = startOf(metric, reading)
  return ({ labels, values }: ReadingRow) => {
    const value = values[metric.name]
    if (value === undefined) return []
    const pairs = LABELS[metric.subject].map(({ key, otel }) => [otel, labels[key]])
    const told = Object.fromEntries(pairs.filter(([name, text]) => name && text)) as Record<string, string>
    return [{ value, startTime, endTime: timeOf(reading.timeMs), attributes: { ...told, ...metric.otel!.labels } }]
  }
}

/** Since when a counter counts: since the boot. 0 says that it is not known: containers and diagd were started some time after. */
function startOf({ subject, otel }: Metric, { timeMs, boottimeMs }: Reading): HrTime {
  const isOfMachine = subject !== 'container' && !/^(?:process|nodejs)\./.test(otel!.name)
  return isOfMachine ? timeOf(timeMs - boottimeMs) : [0, 0]
}

/** https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/ maps the words of syslog so. */
const SEVERITIES: Record<Level, SeverityNumber> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warning: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  critical: SeverityNumber.FATAL,
}

function attributesOf({ id, bootId, source, subject, monotonicMs, detail }: StoredEvent) {
  return {
    // Who gets a record twice can tell: https://opentelemetry.io/docs/specs/semconv/general/logs/
    'log.record.uid': `${bootId}:${id}`,
    'diagd.event.id': id,
    'diagd.event.source': source,
    'diagd.boot.id': bootId,
    ...(subject === '' ? {} : { 'diagd.event.subject': subject }),
    ...(monotonicMs === undefined ? {} : { 'diagd.event.monotonic_ms': monotonicMs }),
    ...(detail === undefined ? {} : { 'diagd.event.detail': JSON.stringify(detail) }),
  }
}

function scopeOf({ version }: Origin) {
  return { name: 'diagd', version }
}

/** Microseconds is what a double keeps of the time since 1970. */
function timeOf(timeMs: number): HrTime {
  const seconds = Math.floor(timeMs / 1000)
  return [seconds, Math.round((timeMs - seconds * 1000) * 1000) * 1000]
}

function encoded(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('the encoder of OpenTelemetry gave nothing')
  return bytes
}
