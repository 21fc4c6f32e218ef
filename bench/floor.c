/*
 * The floor: execute /bin/true once a unit, dependencies first, so many at a time, and do nothing else.
 *
 *     floor [-v] GRAPH
 *
 * GRAPH is text: the number of units and of jobs, then for each unit how many units it waits for, and their numbers.
 * With -v every start and end is printed. bench/floor.py is the same program in Python.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

struct unit {
    int unmet;        /* dependencies that have not ended */
    int dependents;   /* how many wait for this one */
    int room;         /* how many fit into `waiting` */
    int *waiting;     /* the units that wait for this one */
};

struct job {
    pid_t pid;
    int unit;
};

static void die(const char *what)
{
    fprintf(stderr, "floor: cannot %s\n", what);
    exit(1);
}

static void *allocate(void *old, size_t count, size_t size)
{
    void *memory = realloc(old, (count ? count : 1) * size);
    if (!memory)
        die("allocate memory");
    return memory;
}

static int read_number(FILE *file, int below)
{
    int number;
    if (fscanf(file, "%d", &number) != 1 || number < 0 || number >= below)
        die("read the graph: a number is missing or out of range");
    return number;
}

static void add_dependent(struct unit *unit, int dependent)
{
    if (unit->dependents == unit->room) {
        unit->room = unit->room ? 2 * unit->room : 4;
        unit->waiting = allocate(unit->waiting, unit->room, sizeof *unit->waiting);
    }
    unit->waiting[unit->dependents++] = dependent;
}

static struct unit *read_graph(const char *path, int *count, int *jobs)
{
    FILE *file = fopen(path, "r");
    if (!file)
        die("open the graph");
    *count = read_number(file, 1 << 24);
    *jobs = read_number(file, 1 << 16);
    struct unit *units = allocate(NULL, *count, sizeof *units);
    memset(units, 0, *count * sizeof *units);
    for (int number = 0; number < *count; number++) {
        units[number].unmet = read_number(file, *count);
        for (int left = units[number].unmet; left > 0; left--)
            add_dependent(&units[read_number(file, *count)], number);
    }
    fclose(file);
    return units;
}

static pid_t spawn_true(void)
{
    static char *const argv[] = {"/bin/true", NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        die("execute /bin/true");
    return pid;
}

/* Waits for one process and frees its job; the unit that it ran. */
static int reap(struct job *running, int *busy)
{
    int ended;
    pid_t pid;
    do
        pid = waitpid(-1, &ended, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0 || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        die("wait for /bin/true");
    int job = 0;
    while (running[job].pid != pid)
        job++;
    int unit = running[job].unit;
    running[job] = running[--*busy];
    return unit;
}

int main(int argc, char **argv)
{
    int verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
    if (argc != 2 + verbose)
        die("go on: the command line is [-v] GRAPH");
    int count, jobs, busy = 0, first = 0, last = 0, ended = 0;
    struct unit *units = read_graph(argv[1 + verbose], &count, &jobs);
    struct job *running = allocate(NULL, jobs, sizeof *running);
    int *queue = allocate(NULL, count, sizeof *queue);   /* every unit passes through it once */

    for (int number = 0; number < count; number++)
        if (!units[number].unmet)
            queue[last++] = number;
    while (busy || first < last) {
        while (busy < jobs && first < last) {
            int number = queue[first++];
            if (verbose)
                printf("start %d\n", number);
            running[busy++] = (struct job){spawn_true(), number};
        }
        int number = reap(running, &busy);
        if (verbose)
            printf("end %d\n", number);
        ended++;
        for (int index = 0; index < units[number].dependents; index++)
            if (!--units[units[number].waiting[index]].unmet)
                queue[last++] = units[number].waiting[index];
    }
    if (ended != count)
        die("finish: units wait for each other");
    return 0;
}
