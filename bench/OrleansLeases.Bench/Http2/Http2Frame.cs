namespace OrleansLeases.Bench.Http2;

internal enum Http2Frame : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
}

internal enum Http2Setting : short
{
    HeaderTableSize = 1,
    EnablePush = 2,
    InitialWindowSize = 4,
}

internal static class Http2Flag
{
    public const byte Ack = 0x1;
    public const byte EndStream = 0x1;
    public const byte EndHeaders = 0x4;
}
