/* An upstream that is never the bottleneck: it sends files, and understands nothing of them.

       upstream PORT DIRECTORY [NAME[@RATE]]

   POST /NAME/... is answered with DIRECTORY/NAME.json at once, or with the frames of NAME.sse in one
   burst; /NAME@RATE/... sends RATE frames a second, and /NAME@0/... the first one and then nothing.
   The third argument answers paths that begin with no name. A frame's `@0000000000000000`
   becomes the time at which it is sent, in microseconds. GET /report tells what was sent so far, and
   how late the frames were for their time. */
#define _GNU_SOURCE
#include "histogram.h"
#include "message.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWERS = 64, SLOTS = 1024, EVENTS = 512, STAMP = 16 };

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                                  "transfer-encoding: chunked\r\nx-request-id: req_invented\r\n\r\n";

/* Its bytes as they leave; a stream's first piece ends after its head. */
struct answer {
    char name[128];
    char *bytes;
    size_t length;
    size_t pieces;
    size_t *ends;
    char **stamps; /* where the time goes into each piece, or NULL */
};

struct connection {
    int socket;
    bool waiting; /* for room in the socket */
    struct message request;
    struct answer *answer; /* NULL: nothing to do */
    size_t sent, due;      /* bytes */
    size_t piece;
    double rate;
    uint64_t time; /* of the next piece */
    struct connection *next, **link; /* in a slot of the wheel; link is NULL outside */
};

static struct answer answers[ANSWERS];
static size_t answer_count;
static const char *fallback;
static struct connection *wheel[SLOTS]; /* one slot for each millisecond */
static uint64_t turned;                 /* the millisecond that was looked at last */
static size_t paced;
static uint64_t answered, frames;
static struct histogram lateness;
static int poller;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* -- answers ------------------------------------------------------------------------------------ */

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail(path);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length + 1);
    if (!bytes || fread(bytes, 1, *length, file) != *length)
        fail(path);
    bytes[*length] = 0;
    fclose(file);
    return bytes;
}

static void prepare_whole(struct answer *answer, const char *body, size_t length)
{
    answer->bytes = malloc(length + 256);
    answer->length = (size_t)sprintf(answer->bytes,
                                     "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                                     "x-request-id: req_invented\r\ncontent-length: %zu\r\n\r\n",
                                     length);
    memcpy(answer->bytes + answer->length, body, length);
    answer->length += length;
}

static void add_piece(struct answer *answer, const char *frame, size_t length)
{
    char *end = answer->bytes + answer->length;
    end += sprintf(end, "%zx\r\n", length);
    char *stamp = memmem(frame, length, "@0000000000000000", STAMP + 1);
    answer->stamps[answer->pieces] = stamp ? end + (stamp - frame) + 1 : NULL;
    end = mempcpy(end, frame, length);
    end = mempcpy(end, "\r\n", 2);
    answer->length = (size_t)(end - answer->bytes);
    answer->ends[answer->pieces++] = answer->length;
}

static void prepare_stream(struct answer *answer, const char *body, size_t length)
{
    size_t most = length / 3 + 2; /* frames: none is shorter */
    answer->bytes = malloc(sizeof STREAM_HEAD + length + most * 24);
    answer->ends = calloc(most, sizeof *answer->ends);
    answer->stamps = calloc(most, sizeof *answer->stamps);
    memcpy(answer->bytes, STREAM_HEAD, sizeof STREAM_HEAD);
    answer->length = answer->ends[0] = sizeof STREAM_HEAD - 1;
    answer->pieces = 1;
    for (const char *frame = body, *end; (end = strstr(frame, "\n\n")); frame = end + 2)
        add_piece(answer, frame, (size_t)(end + 2 - frame));
    memcpy(answer->bytes + answer->length, "0\r\n\r\n", 5);
    answer->length += 5;
    answer->ends[answer->pieces - 1] = answer->length;
}

static void load_answer(const char *directory, const char *file)
{
    char path[4096];
    const char *suffix = strrchr(file, '.');
    struct answer *answer = &answers[answer_count];
    if (!suffix || (strcmp(suffix, ".json") && strcmp(suffix, ".sse")) || answer_count == ANSWERS)
        return;
    snprintf(answer->name, sizeof answer->name, "%.*s", (int)(suffix - file), file);
    snprintf(path, sizeof path, "%s/%s", directory, file);
    size_t length;
    char *body = read_file(path, &length);
    (strcmp(suffix, ".sse") ? prepare_whole : prepare_stream)(answer, body, length);
    free(body);
    answer_count++;
}

static struct answer *find_answer(const char *name, size_t length)
{
    for (size_t number = 0; number < answer_count; number++)
        if (strlen(answers[number].name) == length && !memcmp(answers[number].name, name, length))
            return &answers[number];
    return NULL;
}

static void load_answers(const char *directory)
{
    DIR *listing = opendir(directory);
    if (!listing)
        fail(directory);
    for (struct dirent *entry; (entry = readdir(listing));)
        load_answer(directory, entry->d_name);
    closedir(listing);
}

/* -- sending ------------------------------------------------------------------------------------ */

static void listen_for(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->socket, &event);
}

static void leave_wheel(struct connection *connection)
{
    if (!connection->link)
        return;
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connection->link = NULL;
    paced--;
}

static void enter_wheel(struct connection *connection)
{
    struct connection **slot = &wheel[connection->time / 1000000 % SLOTS];
    connection->next = *slot;
    connection->link = slot;
    if (*slot)
        (*slot)->link = &connection->next;
    *slot = connection;
    paced++;
}

static void drop(struct connection *connection)
{
    leave_wheel(connection);
    close(connection->socket);
    free(connection);
}

/* Send what is due. Return false if there is nobody any more. */
static bool flush(struct connection *connection)
{
    struct answer *answer = connection->answer;
    while (connection->sent < connection->due) {
        ssize_t count = send(connection->socket, answer->bytes + connection->sent,
                             connection->due - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            if (!connection->waiting)
                listen_for(connection, EPOLLIN | EPOLLOUT);
            connection->waiting = true;
            return true;
        }
        if (count < 0)
            return false;
        connection->sent += (size_t)count;
    }
    if (connection->waiting)
        listen_for(connection, EPOLLIN);
    connection->waiting = false;
    if (connection->sent == answer->length)
        connection->answer = NULL;
    return true;
}

/* All streams share the bytes, so the time is right only in what leaves at once, as frames of a
   paced stream do unless its reader is seconds behind. */
static void stamp(char *place)
{
    uint64_t microseconds = now() / 1000;
    for (int digit = STAMP - 1; place && digit >= 0; digit--, microseconds /= 10)
        place[digit] = (char)('0' + microseconds % 10);
}

/* Make all pieces due whose time has come. */
static bool advance(struct connection *connection, uint64_t time)
{
    struct answer *answer = connection->answer;
    while (connection->piece < answer->pieces && connection->time <= time) {
        histogram_add(&lateness, time - connection->time);
        stamp(answer->stamps[connection->piece]);
        connection->due = answer->ends[connection->piece++];
        frames++;
        if (connection->rate == 0)
            return flush(connection);
        connection->time += (uint64_t)(1e9 / connection->rate);
    }
    if (connection->piece < answer->pieces)
        enter_wheel(connection);
    return flush(connection);
}

static void turn_wheel(void)
{
    uint64_t time = now(), last = time / 1000000;
    if (last - turned >= SLOTS)
        turned = last - SLOTS + 1;
    for (; turned <= last; turned++) {
        struct connection *connection = wheel[turned % SLOTS], *next;
        for (; connection; connection = next) {
            next = connection->next;
            if (connection->time > time)
                continue;
            leave_wheel(connection);
            if (!advance(connection, time))
                drop(connection);
        }
    }
    turned = last; /* its millisecond is not over */
}

/* -- connections -------------------------------------------------------------------------------- */

static bool report(struct connection *connection)
{
    char body[1024], head[128];
    FILE *file = fmemopen(body, sizeof body, "w");
    fprintf(file, "{\"answers\": %llu, \"frames\": %llu, ", (unsigned long long)answered,
            (unsigned long long)frames);
    histogram_print(&lateness, "lateness", file);
    fprintf(file, "}");
    fclose(file);
    int length = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", strlen(body));
    memset(&lateness, 0, sizeof lateness);
    answered = frames = 0;
    return send(connection->socket, head, (size_t)length, MSG_NOSIGNAL) > 0 &&
           send(connection->socket, body, strlen(body), MSG_NOSIGNAL) > 0;
}

static bool answer_request(struct connection *connection)
{
    const char *name = strchr(connection->request.head, ' ');
    if (!name || !strncmp(name, " /report", 8))
        return name && report(connection);
    size_t length = strcspn(name += 2, "@/ ");
    connection->answer = find_answer(name, length);
    if (!connection->answer && fallback) {
        length = strcspn(name = fallback, "@");
        connection->answer = find_answer(name, length);
    }
    if (!connection->answer) {
        fprintf(stderr, "there is no answer to %.200s\n", name);
        return false;
    }
    answered++;
    connection->sent = connection->piece = 0;
    if (name[length] != '@' || !connection->answer->pieces) {
        connection->due = connection->answer->length;
        frames += connection->answer->pieces ? connection->answer->pieces - 1 : 0;
        return flush(connection);
    }
    connection->rate = atof(name + length + 1);
    connection->piece = 1; /* after the head, which leaves with the first frame */
    connection->time = now();
    return advance(connection, connection->time);
}

static void discard(void *context, const char *bytes, size_t length)
{
    (void)context, (void)bytes, (void)length;
}

static bool receive(struct connection *connection)
{
    static char buffer[1 << 18];
    ssize_t count = recv(connection->socket, buffer, sizeof buffer, 0);
    if (count <= 0)
        return count < 0 && errno == EAGAIN;
    for (ssize_t used = 0; used < count;) {
        struct message *request = &connection->request;
        ssize_t taken = message_read(request, buffer + used, (size_t)(count - used), discard, NULL);
        if (taken < 0)
            return false;
        used += taken;
        if (request->part == END) {
            bool answerable = answer_request(connection);
            message_next(request);
            if (!answerable)
                return false;
        }
    }
    return true;
}

static void accept_all(int listener)
{
    for (int socket; (socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        int on = 1;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->socket = socket;
        connection->request.request = true;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    }
}

static int start_listening(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        fail("cannot listen");
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

static void serve(int listener)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, paced ? 1 : -1);
        for (int number = 0; number < count; number++) {
            struct connection *connection = events[number].data.ptr;
            if (!connection)
                accept_all(listener);
            else if ((events[number].events & EPOLLOUT && connection->answer && !flush(connection)) ||
                     (events[number].events & ~(uint32_t)EPOLLOUT && !receive(connection)))
                drop(connection);
        }
        turn_wheel();
    }
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s PORT DIRECTORY [NAME[@RATE]]\n", arguments[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    load_answers(arguments[2]);
    fallback = count > 3 ? arguments[3] : NULL;
    poller = epoll_create1(0);
    turned = now() / 1000000;
    serve(start_listening(atoi(arguments[1])));
}
