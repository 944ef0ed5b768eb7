namespace NanoAspire.Engine.Kernels;

/// <summary>
/// One row a token, by position: a latent ‖ its rotated key, or an indexer's key. float32 and bfloat16 rows hold the columns as they are.
/// An E4M3 row is bytes: the scaled columns in tiles of <see cref="Tile"/>, one float32 power of two a tile, then the plain columns as bfloat16.
/// </summary>
/// <param name="Rows">Where they are.</param>
/// <param name="Scaled">Leading columns, those that E4M3 rounds.</param>
/// <param name="Plain">Columns after them: positions must stay sharp, so E4M3 leaves them 16 bits.</param>
internal readonly record struct CachedRows(LayerRows Rows, int Scaled, int Plain)
{
    /// <summary>Columns that share a scale.</summary>
    public const int Tile = 128;

    public int Columns => Scaled + Plain;

    /// <summary>Tiles of the scaled columns of an E4M3 row.</summary>
    public int Tiles => (Scaled + Tile - 1) / Tile;

    public static RowPlane Plane(string name, int scaled, int plain, int blockSize, WeightType type) =>
        new($"{name} {scaled}+{plain}", type == WeightType.E4M3 ? Bytes(scaled, plain) : scaled + plain, blockSize, type);

    /// <summary>Of an E4M3 row, scales 4-byte aligned within it.</summary>
    private static int Bytes(int scaled, int plain) =>
        (scaled + 3) / 4 * 4 + (scaled + Tile - 1) / Tile * sizeof(float) + (plain + 1) / 2 * 2 * sizeof(ushort);
}
