/*
 * A host driver that answers packets, and breaks one thing: which, the build says.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

void exit(int status);

static ULONG PacketsSeen;
static VMBCHANNEL Offered;

DRIVER_INITIALIZE DriverEntry;

static VOID
Answer(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
    PUCHAR block;
    LARGE_INTEGER now;

    UNREFERENCED_PARAMETER(Channel);
    UNREFERENCED_PARAMETER(Flags);

    ++PacketsSeen;
#if defined(BREAK_CRASH)
    *(volatile ULONG *)8 = PacketsSeen;
#elif defined(BREAK_EXIT)
    exit(3);
#elif defined(BREAK_LOOP)
    for (;;) {
        ++*(volatile ULONG *)&PacketsSeen;
    }
#elif defined(BREAK_POLL)
    do {
        KeQuerySystemTime(&now);
    } while (now.QuadPart >= 0);
#elif defined(BREAK_POOL)
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 'tseT');
    block[24] = 1;
    ExFreePoolWithTag(block, 'tseT');
#elif defined(BREAK_UNCHECKED) || defined(KEEP_CHECKED)
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 'tseT');
#ifdef KEEP_CHECKED
    if (block != NULL)
#endif
    {
        block[0] = 1;
        ExFreePoolWithTag(block, 'tseT');
    }
#elif defined(BREAK_LEAK)
    (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 'kaeL');
#elif defined(BREAK_TWICE)
    VmbChannelPacketComplete(Packet, Buffer, BufferLength);
#elif defined(BREAK_BUGCHECK)
    KeBugCheckEx(0xE2, PacketsSeen, 0, 0, 0);
#elif defined(BREAK_PRINT)
    DbgPrint("packet %u of %u bytes\n", PacketsSeen, BufferLength);
#endif
    UNREFERENCED_PARAMETER(block);
    UNREFERENCED_PARAMETER(now);
#ifdef BREAK_HOLD
    UNREFERENCED_PARAMETER(Packet);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(BufferLength);
#else
    VmbChannelPacketComplete(Packet, Buffer, BufferLength);
#endif
}

static NTSTATUS
AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject)
{
    static const GUID type = {0x11, 0x22, 0x33, {4, 4, 4, 4, 4, 4, 4, 4}};
    static const GUID instance = {0x55, 0x66, 0x77, {8, 8, 8, 8, 8, 8, 8, 8}};
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DriverObject);

    status = VmbChannelAllocate(PhysicalDeviceObject, TRUE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = VmbServerChannelInitSetTargetInterfaceId(channel, type, instance);
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetProcessPacketCallbacks(channel, Answer, NULL);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelEnable(channel);
    }
    if (NT_SUCCESS(status)) {
        VmbChannelStart(channel);
    }
    Offered = channel;
    return status;
}

static VOID
Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);

    VmbChannelDisable(Offered);
#ifndef BREAK_KEEP
    VmbChannelCleanup(Offered);
#endif
}

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);

#ifdef BREAK_ENTRY
    return STATUS_INSUFFICIENT_RESOURCES;
#endif
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
