/* One HTTP/1.1 message after the other, out of the bytes of a connection as they come. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HEAD_LIMIT = 16384 };

enum message_part { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, END };

/* All zero, it waits for the first byte of a message. */
struct message {
    enum message_part part;
    bool request;     /* which has no body unless it says so */
    bool until_close; /* the end of the connection is the end of the body */
    bool closes;      /* the sender will close the connection */
    size_t left;      /* bytes of the body, or of the chunk */
    size_t line;      /* bytes of the line of a chunk's size, or of a trailer */
    size_t head_length;
    char head[HEAD_LIMIT];
};

typedef void body_reader(void *context, const char *bytes, size_t length);

/* Read on. Return how many bytes belong to this message, or -1 if this is not HTTP. At the end of
   the message `part` is END; `message_next` makes it ready for another. */
ssize_t message_read(struct message *message, const char *bytes, size_t length, body_reader *read_body,
                     void *context);

void message_next(struct message *message);

#endif
