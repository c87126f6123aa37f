/** Views for the questions that are asked first; the newest or the worst come first, sizes are in MiB. */

const MIB = 1048576

export const HAND_MADE: Readonly<Record<string, string>> = {
  latest: `  SELECT
    time,
    load_1,
    round(100 - cpu_idle_percent - cpu_iowait_percent, 1) AS cpu_percent,
    cpu_iowait_percent AS iowait_percent,
    cpu_steal_percent AS steal_percent,
    memory_available_bytes / ${MIB} AS memory_available_mib,
    memory_total_bytes / ${MIB} AS memory_total_mib,
    (swap_total_bytes - swap_free_bytes) / ${MIB} AS swap_used_mib,
    pressure_cpu_some_percent,
    pressure_memory_full_percent,
    pressure_io_full_percent,
    processes,
    problem
  FROM host ORDER BY sample DESC LIMIT 100`,
  worst_minutes: `  SELECT
    time,
    max(coalesce(pressure_cpu_some_percent_avg, 0), coalesce(pressure_memory_some_percent_avg, 0),
      coalesce(pressure_io_some_percent_avg, 0)) AS pressure_percent,
    pressure_cpu_some_percent_avg AS of_cpu_percent,
    pressure_memory_some_percent_avg AS of_memory_percent,
    pressure_io_some_percent_avg AS of_io_percent,
    round(100 - cpu_idle_percent_avg - cpu_iowait_percent_avg, 1) AS cpu_percent,
    cpu_steal_percent_max AS most_steal_percent,
    memory_available_bytes_min / ${MIB} AS least_memory_available_mib,
    load_1_max AS most_load_1,
    oom_kills_sum AS oom_kills
  FROM host_per_minute ORDER BY pressure_percent DESC, cpu_percent DESC LIMIT 100`,
  mounts_now: `  SELECT
    mountpoint, device, fstype,
    size_bytes / ${MIB} AS size_mib,
    available_bytes / ${MIB} AS available_mib,
    round(100.0 * used_bytes / (used_bytes + available_bytes), 1) AS used_percent,
    round(100.0 * (inodes - inodes_free) / inodes, 1) AS inodes_used_percent,
    problem, time
  FROM mount WHERE sample = (SELECT max(id) FROM samples) ORDER BY used_percent DESC`,
  containers_now: `  SELECT
    name, id,
    cpu_percent, cpu_limit, cpu_throttled_percent,
    memory_working_set_bytes / ${MIB} AS memory_mib,
    memory_limit_bytes / ${MIB} AS memory_limit_mib,
    round(100.0 * memory_working_set_bytes / memory_limit_bytes, 1) AS of_limit_percent,
    (SELECT sum(a.oom_kills) FROM container_samples AS a WHERE a.thing =
      (SELECT thing FROM containers AS c WHERE c.id = container.id)) AS oom_kills,
    threads, problem, time
  FROM container WHERE sample = (SELECT max(id) FROM samples) ORDER BY cpu_percent DESC`,
  gaps: `  SELECT
    strftime('%Y-%m-%dT%H:%M:%fZ', from_ms / 1000.0, 'unixepoch') AS from_time,
    strftime('%Y-%m-%dT%H:%M:%fZ', to_ms / 1000.0, 'unixepoch') AS to_time,
    round((to_ms - from_ms) / 1000.0, 1) AS seconds,
    kind, message, boots.boot_id AS boot_id, from_ms, to_ms, sample
  FROM marks JOIN boots ON boots.id = marks.boot ORDER BY marks.id`,
  kept: `  SELECT 'samples' AS what, count(*) AS number,
    strftime('%Y-%m-%dT%H:%M:%fZ', min(time_ms) / 1000.0, 'unixepoch') AS first,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(time_ms) / 1000.0, 'unixepoch') AS last FROM samples
  UNION ALL SELECT 'minutes', count(*),
    strftime('%Y-%m-%dT%H:%M:%fZ', min(time_ms) / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', max(time_ms) / 1000.0, 'unixepoch') FROM minutes`,
}
