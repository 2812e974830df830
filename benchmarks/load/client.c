/* Clients that ask one thing over and over, and notice when what they asked for comes.

       client [OPTIONS] PORT PATH BODY

   BODY is a file, posted to PATH. Without --rate each connection asks again as soon as it has its
   answer; with it requests start at fixed times whether answers come or not, and all their times
   count from when they should have started. Prints one JSON object; times are in milliseconds. */
#define _GNU_SOURCE
#include "events.h"
#include "histogram.h"
#include "message.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, TICKS = 20, PATIENCE = 30 };

static const char USAGE[] =
    "usage: client [OPTIONS] PORT PATH BODY\n"
    "  --connections N  (16)\n"
    "  --requests N     stop after as many\n"
    "  --seconds S      stop asking after that time\n"
    "  --rate R         requests a second, at fixed times\n"
    "  --read-rate B    bytes a second that each connection reads\n"
    "  --header TEXT    name: value\n"
    "  --end TEXT       without this a stream was cut (response.completed)\n"
    "  --stay           keep streams and connections open until the end of the standard input\n";

enum state { FREE, CONNECTING, SENDING, READING, STAYING };

struct connection {
    int socket; /* -1: none yet */
    enum state state;
    size_t sent;
    struct events events;
    struct connection *next; /* that is free */
    struct message answer;
};

static struct {
    size_t connections, requests, read_rate;
    double seconds, rate;
    const char *end, *header;
    bool stay;
} options = {.connections = 16, .requests = SIZE_MAX, .end = "response.completed", .header = ""};

static struct {
    size_t started, settled, answered, rejected, failed, cut, events, bytes;
    struct histogram head, whole;
    struct event_times times;
} seen;

static struct connection *connections, *first_free, **last_free = &first_free;
static struct sockaddr_in address = {.sin_family = AF_INET};
static char *request;
static size_t request_length;
static int poller;
static uint64_t beginning;
static bool dismissed; /* the standard input has ended */

/* -- what was asked for ------------------------------------------------------------------------- */

static void read_options(int count, char **arguments)
{
    static const struct option known[] = {
        {"connections", 1, 0, 'c'}, {"requests", 1, 0, 'n'}, {"seconds", 1, 0, 's'},
        {"rate", 1, 0, 'r'},        {"read-rate", 1, 0, 'b'}, {"header", 1, 0, 'h'},
        {"end", 1, 0, 'e'},         {"stay", 0, 0, 'k'},      {0, 0, 0, 0},
    };
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (option) {
        case 'c': options.connections = strtoul(optarg, NULL, 10); break;
        case 'n': options.requests = strtoul(optarg, NULL, 10); break;
        case 's': options.seconds = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'b': options.read_rate = strtoul(optarg, NULL, 10); break;
        case 'h': options.header = optarg; break;
        case 'e': options.end = optarg; break;
        case 'k': options.stay = true; break;
        default: optind = count;
        }
    }
    if (optind + 3 != count) {
        fputs(USAGE, stderr);
        exit(2);
    }
    if (options.stay)
        options.requests = options.connections;
}

static void prepare_request(int port, const char *path, const char *body)
{
    FILE *file = fopen(body, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        perror(body);
        exit(2);
    }
    size_t length = (size_t)ftell(file);
    rewind(file);
    request = malloc(length + 8192);
    request_length = (size_t)snprintf(request, 8192,
                                      "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
                                      "content-length: %zu\r\n%s%s\r\n",
                                      path, port, length, options.header, *options.header ? "\r\n" : "");
    request_length += fread(request + request_length, 1, length, file);
    fclose(file);
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* -- requests ----------------------------------------------------------------------------------- */

static void listen_for(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->socket, &event);
}

static void disconnect(struct connection *connection)
{
    if (connection->socket >= 0)
        close(connection->socket);
    connection->socket = -1;
}

static void release(struct connection *connection)
{
    connection->state = FREE;
    connection->next = NULL;
    *last_free = connection;
    last_free = &connection->next;
}

static void give_up(struct connection *connection)
{
    seen.failed++;
    seen.settled += connection->state != STAYING;
    disconnect(connection);
    release(connection);
}

static void finish(struct connection *connection)
{
    int status = atoi(connection->answer.head + 9);
    bool streamed = strcasestr(connection->answer.head, "\r\ncontent-type: text/event-stream") != NULL;
    uint64_t time = now();
    seen.settled += connection->state != STAYING;
    seen.answered++;
    if (status != 200 && seen.rejected++ == 0)
        fprintf(stderr, "the first refusal: %.*s\n", (int)strcspn(connection->answer.head, "\r"),
                connection->answer.head);
    seen.cut += status == 200 && streamed && !connection->events.ended;
    histogram_add(&seen.whole, time - connection->events.began);
    if (connection->answer.closes || connection->answer.until_close || connection->sent < request_length)
        disconnect(connection);
    release(connection);
}

static void send_request(struct connection *connection)
{
    connection->state = SENDING;
    while (connection->sent < request_length) {
        ssize_t count = send(connection->socket, request + connection->sent, request_length - connection->sent,
                             MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            listen_for(connection, EPOLLIN | EPOLLOUT);
            return;
        }
        if (count < 0) {
            give_up(connection);
            return;
        }
        connection->sent += (size_t)count;
    }
    connection->state = READING;
    listen_for(connection, options.read_rate ? 0 : EPOLLIN);
}

static void start_connecting(struct connection *connection)
{
    int on = 1, small = 4096;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->socket < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.read_rate)
        setsockopt(connection->socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_ADD, connection->socket, &event);
    connect(connection->socket, (struct sockaddr *)&address, sizeof address);
    connection->state = CONNECTING;
}

static void ask(uint64_t time)
{
    struct connection *connection = first_free;
    first_free = connection->next;
    if (!first_free)
        last_free = &first_free;
    message_next(&connection->answer);
    connection->sent = 0;
    connection->events = (struct events){.began = time};
    if (options.rate > 0)
        connection->events.began = beginning + (uint64_t)((double)seen.started * 1e9 / options.rate);
    seen.started++;
    if (connection->socket < 0)
        start_connecting(connection);
    else
        send_request(connection);
}

static bool asking(uint64_t time)
{
    double elapsed = (double)(time - beginning) / 1e9;
    return seen.started < options.requests && (options.seconds <= 0 || elapsed < options.seconds);
}

/* Start what is due, as far as there are connections for it. */
static void ask_all(void)
{
    /* Not those that become free meanwhile: whoever refuses at once would be asked for ever. */
    for (size_t left = options.connections; left && first_free; left--) {
        uint64_t time = now();
        double due = options.rate > 0 ? (double)(time - beginning) / 1e9 * options.rate : 1e18;
        if (!asking(time) || (double)seen.started > due)
            return;
        ask(time);
    }
}

/* -- answers ------------------------------------------------------------------------------------ */

static void read_body(void *context, const char *bytes, size_t length)
{
    struct events *events = &((struct connection *)context)->events;
    size_t before = events->count;
    events_read(events, bytes, length, options.end, &seen.times);
    seen.events += events->count - before;
    seen.bytes += length;
}

static void receive(struct connection *connection, size_t most)
{
    static char buffer[1 << 18];
    ssize_t count = recv(connection->socket, buffer, most ? most : sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (connection->state == FREE) { /* the server has closed an idle connection */
        disconnect(connection);
        return;
    }
    if (count <= 0) {
        bool complete = count == 0 && connection->answer.until_close;
        (complete ? finish : give_up)(connection);
        return;
    }
    if (connection->answer.head_length == 0)
        histogram_add(&seen.head, now() - connection->events.began);
    if (message_read(&connection->answer, buffer, (size_t)count, read_body, connection) < 0)
        give_up(connection);
    else if (connection->answer.part == END)
        finish(connection);
    else if (options.stay && connection->events.count && connection->state == READING) {
        connection->state = STAYING;
        seen.settled++;
    }
}

static void attend(struct connection *connection, uint32_t events)
{
    if (connection->state == CONNECTING || connection->state == SENDING) {
        if (events & (EPOLLERR | EPOLLHUP))
            give_up(connection);
        else if (events & EPOLLOUT)
            send_request(connection);
        else
            receive(connection, 0); /* an answer before the end of the request: a refusal */
    } else {
        receive(connection, 0);
    }
}

/* Read what slow readers may read by now. */
static void read_slowly(void)
{
    static uint64_t last;
    uint64_t time = now();
    if (time - last < 1000000000 / TICKS)
        return;
    last = time;
    for (size_t number = 0; number < options.connections; number++)
        if (connections[number].state >= READING)
            receive(&connections[number], options.read_rate / TICKS + 1);
}

/* -- the whole ---------------------------------------------------------------------------------- */

static void report(void)
{
    printf("{\"seconds\": %.6f, \"answered\": %zu, \"rejected\": %zu, \"failed\": %zu, \"cut\": %zu, "
           "\"unfinished\": %zu, \"events\": %zu, \"bytes\": %zu, ",
           (double)(now() - beginning) / 1e9, seen.answered, seen.rejected, seen.failed, seen.cut,
           seen.started - seen.settled, seen.events, seen.bytes);
    const struct {
        const char *name;
        const struct histogram *histogram;
    } times[] = {{"head", &seen.head}, {"first_event", &seen.times.first}, {"gap", &seen.times.gap},
                 {"delay", &seen.times.delay}, {"whole", &seen.whole}};
    for (size_t number = 0; number < 5; number++) {
        histogram_print(times[number].histogram, times[number].name, stdout);
        fputs(number < 4 ? ", " : "}\n", stdout);
    }
    fflush(stdout);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int patience = options.rate > 0 ? 1 : options.read_rate ? 1000 / TICKS : 1000;
    int count = epoll_wait(poller, events, EVENTS, patience);
    for (int number = 0; number < count; number++) {
        struct connection *connection = events[number].data.ptr;
        char byte;
        if (connection)
            attend(connection, events[number].events);
        else if (read(STDIN_FILENO, &byte, 1) <= 0)
            dismissed = true;
    }
    if (options.read_rate)
        read_slowly();
}

static void run(void)
{
    uint64_t busy = beginning = now(); /* when there was still something to ask */
    while (asking(now()) || seen.settled < seen.started) {
        if (asking(now()))
            busy = now();
        if (now() - busy > PATIENCE * 1000000000ull)
            break;
        ask_all();
        turn();
    }
    report();
    if (!options.stay)
        return;
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    options.rate = 0;
    while (!dismissed)
        turn();
    report();
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    prepare_request(atoi(arguments[optind]), arguments[optind + 1], arguments[optind + 2]);
    poller = epoll_create1(0);
    connections = calloc(options.connections, sizeof *connections);
    for (size_t number = 0; number < options.connections; number++) {
        connections[number].socket = -1;
        release(&connections[number]);
    }
    run();
    bool well = !seen.rejected && !seen.failed && !seen.cut && seen.settled == seen.started;
    return well ? 0 : 1;
}
