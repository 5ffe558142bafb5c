/* SPDX-License-Identifier: MIT
 *
 * What the server's processes have used: CPU time to the nanosecond from the scheduler's own account of each thread,
 * memory as the proportional set size.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

/* Each process in a list "12,34". */
static double pids_sum(const char *pids, double (*cost)(long pid))
{
	double sum = 0;
	char *end;

	for (; pids && *pids; pids = *end == ',' ? end + 1 : end) {
		long pid = strtol(pids, &end, 10);

		if (end == pids)
			load_fail("--pid wants numbers with commas between them");
		sum += cost(pid);
	}
	return sum;
}

static double thread_cpu(long pid, const char *thread)
{
	char path[300];
	unsigned long long ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, thread);
	file = fopen(path, "r");
	if (file && fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	return (double)ns / 1e9;
}

static double process_cpu(long pid)
{
	char path[64];
	struct dirent *entry;
	double sum = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	threads = opendir(path);
	if (!threads)
		load_fail("the process %ld of the server is gone", pid);
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			sum += thread_cpu(pid, entry->d_name);
	closedir(threads);
	return sum;
}

static double process_memory(long pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (double)kib * 1024;
}

double cost_cpu(const char *pids)
{
	return pids_sum(pids, process_cpu);
}

double cost_memory(const char *pids)
{
	return pids_sum(pids, process_memory);
}
