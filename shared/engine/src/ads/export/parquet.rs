//! Rows as Parquet: days as dates, moments as millisecond timestamps in UTC, money and conversions as exact decimals with
//! four digits (no currency has more), ratios as floats, labels joined with `;`. zstd.

use std::io::{Result, Write};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use trafficlab_shared::model::export::ExportColumn;

use super::row::{Cell, Row};
use crate::packet::export::parquet::fault;

/// Rows of a group.
pub(super) const GROUP: usize = 32_768;
/// Bytes of texts of a group; a group with longer ones has fewer rows.
const GROUP_BYTES: usize = 8 << 20;
/// Digits of a decimal, and those after its point.
const DIGITS: i32 = 38;
const FRACTION: i32 = 4;
/// Bytes of such a decimal.
const DECIMAL_BYTES: i32 = 16;

/// The values of one column of the group at hand; absent ones have level 0 and no value.
enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Decimal(Vec<FixedLenByteArray>),
    Ratio(Vec<f64>),
    Date(Vec<i32>),
    Time(Vec<i64>),
}

struct Column {
    name: ExportColumn,
    values: Values,
    levels: Vec<i16>,
}

pub(super) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> Table<W> {
    pub(super) fn new(columns: &[ExportColumn], out: W) -> Result<Self> {
        let columns: Vec<Column> = columns.iter().map(|name| Column::new(*name)).collect();
        let level = ZstdLevel::try_new(3).map_err(fault)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let types: std::result::Result<Vec<_>, ParquetError> = columns.iter().map(Column::schema).collect();
        let schema = Type::group_type_builder("campaigns").with_fields(types.map_err(fault)?).build().map_err(fault)?;
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(fault)?;
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.bytes += self.columns.iter_mut().map(|column| column.push(row.cell(column.name))).sum::<usize>();
        self.rows += 1;
        if self.rows < GROUP && self.bytes < GROUP_BYTES { Ok(()) } else { self.group() }
    }

    fn group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(fault)? else { break };
            column.write(&mut writer).map_err(fault)?;
            writer.close().map_err(fault)?;
        }
        group.close().map_err(fault)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        if self.rows > 0 {
            self.group()?;
        }
        self.writer.into_inner().map_err(fault)?.flush()
    }
}

impl Column {
    fn new(name: ExportColumn) -> Self {
        use ExportColumn as C;
        let values = match name {
            C::Id | C::CampaignId | C::Impressions | C::Clicks => Values::Whole(Vec::new()),
            C::Conversions | C::Spend | C::Revenue | C::DailyBudget | C::LifetimeBudget => Values::Decimal(Vec::new()),
            C::Ctr | C::Cpc | C::Cpm | C::Cpa | C::Roas => Values::Ratio(Vec::new()),
            C::Date | C::StartDate | C::EndDate => Values::Date(Vec::new()),
            C::CreatedAt | C::UpdatedAt => Values::Time(Vec::new()),
            C::Name
            | C::CampaignName
            | C::Platform
            | C::Status
            | C::Objective
            | C::ExternalId
            | C::AccountId
            | C::Currency
            | C::Labels => Values::Text(Vec::new()),
        };
        Self { name, values, levels: Vec::new() }
    }

    /// Answers how many bytes of text came in.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        let mut bytes = 0;
        let present = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(Some(text))) => {
                bytes = text.len();
                values.push(ByteArray::from(text));
                true
            }
            (Values::Text(values), Cell::List(texts)) => {
                let text = texts.join(";");
                bytes = text.len();
                values.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Values::Whole(values), Cell::Whole(value)) => {
                values.push(i64::try_from(value).unwrap_or(i64::MAX));
                true
            }
            (Values::Decimal(values), Cell::Decimal { units: Some(units), digits, .. }) => {
                values.push(fixed(units, digits));
                true
            }
            (Values::Ratio(values), Cell::Ratio(Some(value))) => {
                values.push(value);
                true
            }
            (Values::Date(values), Cell::Date(Some(day))) => {
                values.push(day.0);
                true
            }
            (Values::Time(values), Cell::Time(time_ns)) => {
                values.push(i64::try_from(time_ns / 1_000_000).unwrap_or(i64::MAX));
                true
            }
            _ => false,
        };
        self.levels.push(present.into());
        bytes
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> std::result::Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match &mut self.values {
            Values::Text(values) => {
                writer.typed::<ByteArrayType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Whole(values) | Values::Time(values) => {
                writer.typed::<Int64Type>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Decimal(values) => {
                writer.typed::<FixedLenByteArrayType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Ratio(values) => {
                writer.typed::<DoubleType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Values::Date(values) => {
                writer.typed::<Int32Type>().write_batch(values, levels, None)?;
                values.clear();
            }
        }
        self.levels.clear();
        Ok(())
    }

    fn schema(&self) -> std::result::Result<Arc<Type>, ParquetError> {
        let of =
            |physical| Type::primitive_type_builder(self.name.as_str(), physical).with_repetition(Repetition::OPTIONAL);
        let builder = match self.values {
            Values::Text(_) => of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)),
            Values::Whole(_) => of(Physical::INT64),
            Values::Decimal(_) => {
                let builder = of(Physical::FIXED_LEN_BYTE_ARRAY).with_length(DECIMAL_BYTES);
                let builder = builder.with_logical_type(Some(LogicalType::decimal(FRACTION, DIGITS)));
                builder.with_precision(DIGITS).with_scale(FRACTION).with_converted_type(ConvertedType::DECIMAL)
            }
            Values::Ratio(_) => of(Physical::DOUBLE),
            Values::Date(_) => of(Physical::INT32).with_logical_type(Some(LogicalType::Date)),
            Values::Time(_) => {
                of(Physical::INT64).with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            }
        };
        builder.build().map(Arc::new)
    }
}

/// `units` of 10^-`digits` as a decimal with four digits after its point. 2^64 units times 10^4 fit by far.
fn fixed(units: u64, digits: u32) -> FixedLenByteArray {
    let fraction = u32::try_from(FRACTION).unwrap_or(0);
    let units = i128::from(units) * 10_i128.pow(fraction.saturating_sub(digits));
    FixedLenByteArray::from(ByteArray::from(units.to_be_bytes().to_vec()))
}
