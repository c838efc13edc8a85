package netlab

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The ring that the kernel writes received frames to (packet(7), PACKET_RX_RING, version 2): one
// slot a frame, so that a frame is there at once and costs no system call.
const (
	slotSize  = 2048
	slotCount = 8192
	blockSize = 1 << 16
)

// ring sends and receives the frames of one network device.
type ring struct {
	fd   int
	mem  []byte
	next int // slot to look at
}

// openRing listens on a device of the calling thread's namespace.
func openRing(device string) (*ring, error) {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	r := &ring{fd: fd}
	if err := r.setUp(link.Index); err != nil {
		r.close()
		return nil, fmt.Errorf("packet ring on %s: %w", device, err)
	}
	return r, nil
}

func (r *ring) setUp(device int) (err error) {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return err
	}
	request := unix.TpacketReq{Block_size: blockSize, Block_nr: slotSize * slotCount / blockSize, Frame_size: slotSize, Frame_nr: slotCount}
	if err := unix.SetsockoptTpacketReq(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return err
	}
	r.mem, err = unix.Mmap(r.fd, 0, slotSize*slotCount, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20); err != nil {
		return err
	}
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xffff // in network order
	return unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device})
}

// status is the word of a slot by which kernel and lab hand it to each other.
func (r *ring) status(slot int) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[slot*slotSize])) //nolint:gosec // shared with the kernel: it has to be read and written atomically
}

// receive hands over the next frame and when it came, if there is one. The frame is good until done is called.
func (r *ring) receive() (frame []byte, at time.Duration, ok bool) {
	if atomic.LoadUint32(r.status(r.next))&unix.TP_STATUS_USER == 0 {
		return nil, 0, false
	}
	slot := r.mem[r.next*slotSize : (r.next+1)*slotSize]
	// struct tpacket2_hdr: status, len, snaplen (32 bits each), mac, net (16), sec, nsec (32)
	kept, mac := int(binary.NativeEndian.Uint32(slot[8:])), int(binary.NativeEndian.Uint16(slot[12:]))
	seconds, nanoseconds := binary.NativeEndian.Uint32(slot[16:]), binary.NativeEndian.Uint32(slot[20:])
	return slot[mac : mac+kept], time.Duration(seconds)*time.Second + time.Duration(nanoseconds), true
}

// done gives the frame's slot back.
func (r *ring) done() {
	atomic.StoreUint32(r.status(r.next), unix.TP_STATUS_KERNEL)
	r.next = (r.next + 1) % slotCount
}

// send puts a frame on the device.
func (r *ring) send(frame []byte) error {
	_, err := unix.Write(r.fd, frame)
	return err
}

// overrun is how many frames came while the ring was full, since the last call.
func (r *ring) overrun() int64 {
	stats, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return int64(stats.Drops)
}

func (r *ring) close() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
	}
	_ = unix.Close(r.fd)
}
