/* The hot loop of holdfast's closed model: wait, receive, compare, stamp, send.
 *
 * Facts
 * - It does what `KeptConnections` in holdfast/engine/kept.py does for the usual reply on a kept connection, and nothing
 *   else. Whatever is not that reply, whole and in one piece, is handed back to Python with what is known of it; Python
 *   remains the oracle (tests/engine/test_engines.py).
 * - Columns are memoryviews on shared memory. Their buffers are held as long as the object lives.
 *
 * Decisions
 * - A table says of each descriptor which row it waits for a reply to; -1 is "not ours". Nothing else is remembered of
 *   a connection.
 * - Every number from outside is checked against the table or the columns before it is used as an index.
 * - One turn takes up what comes for five milliseconds, or until Python is needed: a turn of Python's own costs as much as
 *   two requests here.
 * - The GIL is released for waiting alone: the sockets do not block, and the rest takes a microsecond.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define MAX_EVENTS 512
#define RECEIVE_BYTES 65536
#define NS_PER_S 1000000000LL
#define TURN_NS 5000000LL
#define ANSWERED 1
#define NO_ROW (-1)

enum { UNTOUCHED, RECEIVED, RECEIVE_FAILED, SENT_IN_PART };
enum { DUE, SENT, DONE, STATUS, BYTES, OUTCOME, COLUMNS };

static const Py_ssize_t ITEM_BYTES[COLUMNS] = {8, 8, 8, 2, 4, 1};

typedef struct {
    PyObject_HEAD
    int epoll;
    Py_ssize_t descriptors;
    Py_ssize_t capacity;
    int64_t *rows;
    char *received;
    int held;
    Py_buffer columns[COLUMNS];
} Kept;

/* What one turn is asked to do, and what it has done. */
typedef struct {
    const char *head;
    Py_ssize_t head_bytes;
    Py_ssize_t usual_bytes;
    uint16_t status;
    int64_t next;
    int64_t last;
    PyObject *request;
    PyObject *remember;
    PyObject *unusual;
} Turn;

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
}

/* The bytes of a row's request, as a new reference. */
static PyObject *request_of(const Turn *turn, int64_t row) {
    PyObject *request;
    if (PyBytes_Check(turn->request)) {
        return Py_NewRef(turn->request);
    }
    request = PyObject_CallFunction(turn->request, "L", (long long)row);
    if (request != NULL && !PyBytes_Check(request)) {
        Py_DECREF(request);
        PyErr_SetString(PyExc_TypeError, "a request must be bytes");
        return NULL;
    }
    return request;
}

/* Hands a descriptor back to Python; takes over the reference to value. */
static int hand_back(Kept *self, Turn *turn, int fd, uint32_t mask, int kind, PyObject *value) {
    PyObject *told;
    int64_t row = NO_ROW;
    int failed;
    if (value == NULL) {
        return -1;
    }
    if (fd >= 0 && fd < self->descriptors) {
        row = self->rows[fd];
        self->rows[fd] = NO_ROW;
    }
    told = Py_BuildValue("(iIiNL)", fd, (unsigned int)mask, kind, value, (long long)row);
    if (told == NULL) {
        return -1;
    }
    failed = PyList_Append(turn->unusual, told);
    Py_DECREF(told);
    return failed;
}

/* The usual reply has come: its row has ended, and the next one begins on the same descriptor. */
static int take_next(Kept *self, Turn *turn, int fd, uint32_t mask, Py_ssize_t bytes) {
    const int64_t row = self->rows[fd], next = turn->next;
    const int64_t now = now_ns();
    PyObject *request, *told;
    char *data;
    Py_ssize_t length;
    ssize_t count;

    ((int64_t *)self->columns[DONE].buf)[row] = now;
    ((int64_t *)self->columns[DUE].buf)[next] = now;
    ((int64_t *)self->columns[SENT].buf)[next] = now;
    ((uint16_t *)self->columns[STATUS].buf)[row] = turn->status;
    ((uint32_t *)self->columns[BYTES].buf)[row] = (uint32_t)bytes;
    /* Others read a row once it has an outcome, so that comes last. */
    __atomic_store_n((uint8_t *)self->columns[OUTCOME].buf + row, ANSWERED, __ATOMIC_RELEASE);
    self->rows[fd] = next;
    turn->next = next + 1;
    if (turn->remember != Py_None) {
        told = PyObject_CallFunction(turn->remember, "L", (long long)next);
        if (told == NULL) {
            return -1;
        }
        Py_DECREF(told);
    }
    request = request_of(turn, next);
    if (request == NULL || PyBytes_AsStringAndSize(request, &data, &length) < 0) {
        Py_XDECREF(request);
        return -1;
    }
    do {
        count = send(fd, data, (size_t)length, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    Py_DECREF(request);
    if (count == length) {
        return 0;
    }
    /* What else went wrong shows again when Python sends the rest. */
    return hand_back(self, turn, fd, mask, SENT_IN_PART, PyLong_FromSsize_t(count < 0 ? 0 : count));
}

static int carry_out(Kept *self, Turn *turn, int fd, uint32_t mask) {
    ssize_t bytes;
    if (fd < 0 || fd >= self->descriptors || self->rows[fd] == NO_ROW || mask != (EPOLLIN | EPOLLOUT)) {
        return hand_back(self, turn, fd, mask, UNTOUCHED, Py_NewRef(Py_None));
    }
    do {
        bytes = recv(fd, self->received, RECEIVE_BYTES, 0);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return 0;
        }
        return hand_back(self, turn, fd, mask, RECEIVE_FAILED, PyLong_FromLong(errno));
    }
    if (bytes == 0 || bytes != turn->usual_bytes || turn->next >= turn->last ||
        memcmp(self->received, turn->head, (size_t)turn->head_bytes) != 0) {
        return hand_back(self, turn, fd, mask, RECEIVED, PyBytes_FromStringAndSize(self->received, bytes));
    }
    return take_next(self, turn, fd, mask, bytes);
}

/* Events that are there, or that come within the time; -1 with an exception, and how long it waited. */
static int wait_for(Kept *self, struct epoll_event *events, int64_t timeout_ns, int64_t *idle_ns) {
    int count = epoll_wait(self->epoll, events, MAX_EVENTS, 0);
    if (count == 0 && timeout_ns > 0) {
        struct pollfd watched = {.fd = self->epoll, .events = POLLIN};
        struct timespec most = {.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
        const int64_t began = now_ns();
        int failed;
        Py_BEGIN_ALLOW_THREADS
        failed = ppoll(&watched, 1, &most, NULL);
        count = failed < 0 ? failed : epoll_wait(self->epoll, events, MAX_EVENTS, 0);
        Py_END_ALLOW_THREADS
        *idle_ns += now_ns() - began;
    }
    if (count < 0 && errno == EINTR) {
        /* The handlers run in Python, before the next turn. */
        return PyErr_CheckSignals() < 0 ? -1 : 0;
    }
    if (count < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return count;
}

static PyObject *Kept_turn(PyObject *object, PyObject *arguments) {
    Kept *self = (Kept *)object;
    struct epoll_event events[MAX_EVENTS];
    Turn turn = {0};
    long long timeout_ns, next, last;
    int64_t idle_ns = 0, left_ns, now, end, until = 0;
    long many = 0;
    int count;

    if (!PyArg_ParseTuple(arguments, "Ly#nHLLOO", &timeout_ns, &turn.head, &turn.head_bytes, &turn.usual_bytes,
                          &turn.status, &next, &last, &turn.request, &turn.remember)) {
        return NULL;
    }
    if (next < 0 || last > self->capacity || turn.usual_bytes > RECEIVE_BYTES) {
        PyErr_Format(PyExc_ValueError, "rows %lld to %lld of %zd, a reply of %zd bytes", next, last, self->capacity,
                     turn.usual_bytes);
        return NULL;
    }
    /* A head that is longer than its reply is none; so the comparison ends within what was received. */
    if (turn.head_bytes > turn.usual_bytes) {
        turn.usual_bytes = -1;
    }
    turn.next = next;
    turn.last = last;
    turn.unusual = PyList_New(0);
    if (turn.unusual == NULL) {
        return NULL;
    }
    left_ns = timeout_ns;
    end = now_ns() + timeout_ns;
    do {
        count = wait_for(self, events, left_ns, &idle_ns);
        for (int at = 0; at < count; at++) {
            if (carry_out(self, &turn, events[at].data.fd, events[at].events) < 0) {
                count = -1;
            }
        }
        if (count < 0) {
            Py_DECREF(turn.unusual);
            return NULL;
        }
        many += count;
        now = now_ns();
        if (until == 0) {
            /* Never later than was asked for: no request may begin after the load's end. */
            until = end < now + TURN_NS ? end : now + TURN_NS;
        }
        left_ns = until - now;
    } while (count > 0 && left_ns > 0 && PyList_Size(turn.unusual) == 0 && turn.next < turn.last);
    return Py_BuildValue("(lLLN)", many, (long long)(turn.next - next), (long long)idle_ns, turn.unusual);
}

static int64_t *place_of(Kept *self, long fd) {
    if (fd < 0 || fd >= self->descriptors) {
        PyErr_Format(PyExc_IndexError, "descriptor %ld of %zd", fd, self->descriptors);
        return NULL;
    }
    return &self->rows[fd];
}

static PyObject *Kept_give(PyObject *object, PyObject *arguments) {
    Kept *self = (Kept *)object;
    long fd;
    long long row;
    int64_t *place;
    if (!PyArg_ParseTuple(arguments, "lL", &fd, &row) || (place = place_of(self, fd)) == NULL) {
        return NULL;
    }
    if (row < 0 || row >= self->capacity) {
        return PyErr_Format(PyExc_IndexError, "row %lld of %zd", row, self->capacity);
    }
    *place = row;
    Py_RETURN_NONE;
}

static PyObject *Kept_row(PyObject *object, PyObject *argument) {
    const long fd = PyLong_AsLong(argument);
    int64_t *place;
    if (fd == -1 && PyErr_Occurred()) {
        return NULL;
    }
    place = place_of((Kept *)object, fd);
    return place == NULL ? NULL : PyLong_FromLongLong(*place);
}

static PyObject *Kept_forget(PyObject *object, PyObject *argument) {
    const long fd = PyLong_AsLong(argument);
    int64_t *place;
    if ((fd == -1 && PyErr_Occurred()) || (place = place_of((Kept *)object, fd)) == NULL) {
        return NULL;
    }
    *place = NO_ROW;
    Py_RETURN_NONE;
}

/* Takes the columns, all of the same number of rows. */
static int hold_columns(Kept *self, PyObject *columns) {
    for (Py_ssize_t at = 0; at < COLUMNS; at++) {
        PyObject *column = PyTuple_GetItem(columns, at);
        Py_buffer *held = &self->columns[at];
        if (column == NULL || PyObject_GetBuffer(column, held, PyBUF_WRITABLE | PyBUF_FORMAT | PyBUF_ND) < 0) {
            return -1;
        }
        self->held++;
        if (held->ndim != 1 || held->itemsize != ITEM_BYTES[at] ||
            (at > 0 && held->len / held->itemsize != self->capacity)) {
            PyErr_SetString(PyExc_ValueError, "columns of other numbers or other lengths");
            return -1;
        }
        self->capacity = held->len / held->itemsize;
    }
    return 0;
}

static PyObject *Kept_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(names)) {
    int epoll;
    Py_ssize_t descriptors;
    PyObject *columns;
    Kept *self;
    if (!PyArg_ParseTuple(arguments, "inO!", &epoll, &descriptors, &PyTuple_Type, &columns)) {
        return NULL;
    }
    if (descriptors < 1 || descriptors > INT32_MAX || PyTuple_Size(columns) != COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "no descriptors, or not six columns");
        return NULL;
    }
    self = (Kept *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->epoll = epoll;
    self->descriptors = descriptors;
    self->rows = PyMem_Malloc((size_t)descriptors * sizeof(int64_t));
    self->received = PyMem_Malloc(RECEIVE_BYTES);
    if (self->rows == NULL || self->received == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    memset(self->rows, 0xff, (size_t)descriptors * sizeof(int64_t));
    if (hold_columns(self, columns) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void Kept_dealloc(PyObject *object) {
    Kept *self = (Kept *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int at = 0; at < self->held; at++) {
        PyBuffer_Release(&self->columns[at]);
    }
    PyMem_Free(self->rows);
    PyMem_Free(self->received);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"turn", Kept_turn, METH_VARARGS,
     "turn(timeout_ns, head, bytes, status, next, last, request, remember) -> (events, taken, idle_ns, unusual)"},
    {"give", Kept_give, METH_VARARGS, "give(descriptor, row): it waits for the reply to this row"},
    {"row", Kept_row, METH_O, "row(descriptor) -> the row that it waits for; -1 if it is not in this table"},
    {"forget", Kept_forget, METH_O, "forget(descriptor)"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, "Kept(epoll, descriptors, (due, sent, done, status, received, outcome))"},
    {Py_tp_new, Kept_new},
    {Py_tp_dealloc, Kept_dealloc},
    {Py_tp_methods, METHODS},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "holdfast_fast.Kept",
    .basicsize = sizeof(Kept),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = SLOTS,
};

static int fill(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &SPEC, NULL);
    int failed;
    if (type == NULL) {
        return -1;
    }
    failed = PyModule_AddObjectRef(module, "Kept", type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "holdfast_fast",
    .m_doc = "The hot loop of holdfast's closed model.",
    .m_slots = MODULE_SLOTS,
};

PyMODINIT_FUNC PyInit_holdfast_fast(void) { return PyModuleDef_Init(&MODULE); }
